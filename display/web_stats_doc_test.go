package display

import (
	"reflect"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

func TestStatsDocNamesThePagesFigures(t *testing.T) {
	testutil.CheckStatsDoc(t, reflect.TypeFor[webStats](), "/stats", func(section string) bool { return section == "/stats" || section == "/stats.web" })
}
