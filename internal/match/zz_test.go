package match
import ("testing";"os";"strings")
func TestZZ(t *testing.T){ b,_:=os.ReadFile("/tmp/extra.txt"); for _,ln:=range strings.Split(strings.TrimSpace(string(b)),"\n"){ w,u,_:=strings.Cut(ln," "); l,e:=Locate(u); if e!=nil{t.Log(u,e);continue}; g:=DefaultRules().Check(l); if string(g.Verdict)!=w {t.Errorf("%s want %s: %s %s %s [%s]",u,w,g.Verdict,g.Class,g.Rule,l)}}}
