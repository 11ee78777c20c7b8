package order

import "fmt"

// Fault is why an order or a register is refused. It is safe to show. It is no
// concert.Error, since a verdict is one English sentence wherever it is read, and no
// refusal of an act that a page translates.
type Fault struct {
	Code     string // stable, for machines: "order.forged"
	Field    string // of the file or of the payload, "" where there is none
	Sentence string // what is wrong, where, and the way out
}

// Error implements error.
func (f *Fault) Error() string { return f.Sentence }

// Is makes two faults equal when their codes are.
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}

func fault(code, field, format string, args ...any) *Fault {
	return &Fault{Code: code, Field: field, Sentence: fmt.Sprintf(format, args...)}
}
