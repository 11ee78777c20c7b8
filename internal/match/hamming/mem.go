package hamming

const (
	lanes  = 16
	planes = 8
)

type block [planes][lanes]uint32
