package accesslog

type haproxy struct{}

func (haproxy) parse([]byte, *record) Reason { return BadField }

type s3 struct{}

func (s3) parse([]byte, *record) Reason { return BadField }

type w3c struct{}

func newW3C([]byte) *w3c                  { return nil }
func (*w3c) parse([]byte, *record) Reason { return BadField }

type jsonParser struct{}

func newJSONParser() *jsonParser                 { return nil }
func (*jsonParser) parse([]byte, *record) Reason { return BadJSON }

type pattern struct{}

func compilePattern(string) (*pattern, error) { return nil, nil }
func (p *pattern) fresh() *pattern            { return p }
func (*pattern) parse([]byte, *record) Reason { return BadField }
