package api

// BlindLook is an approved item drawn for a second look, as the second pair of
// eyes sees it: without what was judged, and by whom.
type BlindLook struct {
	Item       string `json:"item"`
	Kind       string `json:"kind"`
	Location   string `json:"location" doc:"as submitted"`
	Display    string `json:"display" doc:"defanged"`
	Type       string `json:"type,omitempty"`
	Outlet     string `json:"outlet"`
	OutletName string `json:"outlet_name"`
	Language   string `json:"language,omitempty"`
	Evaluation string `json:"evaluation"`
	Exercise   bool   `json:"exercise"`

	Understood   *bool              `json:"understood,omitempty" doc:"of one look alone: whether I read its language, or a person's translation of it"`
	Translations []BlindTranslation `json:"translations,omitempty" doc:"of one look alone"`
}

// BlindTranslation is an item's words in another language, without who made it.
type BlindTranslation struct {
	Kind   string `json:"kind" doc:"human or machine; a machine's is a help, never enough"`
	Source string `json:"source"`
	Target string `json:"target"`
	Text   string `json:"text"`
}

// ListedLook is a second look in a list: while it waits no more than a blind one.
type ListedLook struct {
	Item     string `json:"item"`
	State    string `json:"state" doc:"waiting, agree, disagree"`
	Display  string `json:"display" doc:"defanged"`
	Type     string `json:"type,omitempty"`
	Provider string `json:"provider,omitempty"`
	Outlet   string `json:"outlet,omitempty"`
	Language string `json:"language,omitempty"`
	DrawnAt  string `json:"drawn_at"`
	At       string `json:"at,omitempty" doc:"when it was given"`
	By       string `json:"by,omitempty" doc:"operator number"`
	Reason   string `json:"reason,omitempty"`
	Status   string `json:"status,omitempty" doc:"where the item stands now, once the look is given"`
}

// SecondLooks are the looks that wait for the caller (reviewers), and the
// disagreements that the caller's authority is told of.
type SecondLooks struct {
	Waiting   []BlindLook  `json:"waiting"`
	Disagreed []SecondLook `json:"disagreed"`
}

// NewSecondLook says what the second pair of eyes thinks.
type NewSecondLook struct {
	Verdict string `json:"verdict" enum:"agree,disagree" doc:"agree: I would refer it; disagree: it is exempt, or no terrorist content"`
	Type    string `json:"type,omitempty" enum:"incites,solicits_commit,solicits_participation,instruction,threat" doc:"Regulation (EU) 2021/784 Art. 2(7)(a) to (e); needed to agree"`
	Reason  string `json:"reason,omitempty" maxLength:"4000" doc:"needed to disagree"`
}

// SecondLook is what a second pair of eyes said.
type SecondLook struct {
	NewSecondLook
	Item string `json:"item"`
	At   string `json:"at"`
}

// OfficerAccuracy is one officer's numbers with what follows from them.
type OfficerAccuracy struct {
	Operator   string           `json:"operator"`
	Authority  string           `json:"authority"`
	Judged     int64            `json:"judged" doc:"words of others on the officer's work: last answers, withdrawals, corrections, second looks"`
	Inaccurate int64            `json:"inaccurate" doc:"of those: refused, not ours, withdrawn, corrected, disagreed"`
	Known      bool             `json:"known" doc:"there are enough words to conclude anything"`
	Watched    bool             `json:"watched" doc:"new assessments need one approval more"`
	Counts     map[string]int64 `json:"counts"`
}

// Accuracy is what the caller may see of it.
type Accuracy struct {
	Officers    []OfficerAccuracy `json:"officers"`
	Definitions map[string]string `json:"definitions"`
	From        int64             `json:"from" doc:"words below which nothing is concluded"`
	Least       int64             `json:"least_per_cent" doc:"below it, one approval more"`
}
