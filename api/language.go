package api

// NewLanguages says which languages a person reads.
type NewLanguages struct {
	Languages []string `json:"languages" maxItems:"40" doc:"BCP 47; an empty list takes all away"`
}

// NewTranslation records a translation of an item's words with its maker.
type NewTranslation struct {
	Kind       string `json:"kind" enum:"human,machine"`
	Source     string `json:"source" maxLength:"35"`
	Target     string `json:"target" maxLength:"35"`
	Translator string `json:"translator,omitempty" maxLength:"200" doc:"who translated: left out for oneself; for a machine the program and its version"`
	Text       string `json:"text" maxLength:"65536"`
}

// Translation is an item's words in another language.
type Translation struct {
	ID         string `json:"id"`
	Item       string `json:"item"`
	Kind       string `json:"kind"`
	Source     string `json:"source"`
	Target     string `json:"target"`
	Maker      string `json:"maker,omitempty" doc:"operator number of who translated"`
	Translator string `json:"translator,omitempty"`
	Text       string `json:"text,omitempty"`
	RecordedBy string `json:"recorded_by,omitempty"`
	At         string `json:"at"`
}
