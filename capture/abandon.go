package capture

import "context"

// abandonable runs open in a goroutine of its own, so that ctx ends the waiting
// although a device or a library hangs. What open returns after that is discarded.
func abandonable[T any](ctx context.Context, open func(context.Context) (T, error), discard func(T)) (T, error) {
	type result struct {
		got T
		err error
	}
	done := make(chan result, 1)
	go func() {
		got, err := open(ctx)
		done <- result{got, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && ctx.Err() != nil { // what ends the waiting may end open, too
			r.err = context.Cause(ctx)
		}
		return r.got, r.err
	case <-ctx.Done():
		if discard != nil {
			go func() {
				if r := <-done; r.err == nil {
					discard(r.got)
				}
			}()
		}
		var none T
		return none, context.Cause(ctx)
	}
}
