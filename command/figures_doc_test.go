package command

import (
	"reflect"
	"strings"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

func TestStatsDocNamesEveryFigure(t *testing.T) {
	testutil.CheckStatsDoc(t, reflect.TypeFor[figures](), "", func(section string) bool { return !strings.HasPrefix(section, "/stats") })
	testutil.CheckStatsDoc(t, reflect.TypeFor[pageBrief](), "/stats.stream", func(section string) bool { return section == "/stats.stream" })
}
