package fragment

// Gap is a range of bytes of a frame that have not come: From up to To, which is excluded.
type Gap struct{ From, To int }
