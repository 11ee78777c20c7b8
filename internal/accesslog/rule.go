package accesslog

import (
	"bytes"
	"slices"
	"strings"
)

// Rule is by what a line of a server's own log becomes a fact, in words that a
// court can read. A rule that states rests on what the log says outright; one
// that infers rests on how an application answers.
type Rule struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Evaluation string `json:"evaluation"`
	Definition string `json:"definition"`
}

// RulesVersion changes whenever a rule does.
const RulesVersion = "1"

// Kinds of facts.
const (
	FactLogIn         = "log_in"         // somebody showed what only an account's owner should have
	FactAuthenticated = "authenticated"  // the log names a user
	FactSessionOpen   = "session_open"   // a session on the machine began
	FactSessionClose  = "session_close"  // it ended
	FactUpload        = "upload"         // a file was put on the server
	FactFileChange    = "file_change"    // a file was moved, copied or deleted, a folder made
	FactAdminister    = "administer"     // something that only an administrator reaches was used
	FactAccountChange = "account_change" // an account was made or changed; the line does not say by whom
)

// FactKinds are all kinds of facts. A view or a download is none.
func FactKinds() []string {
	return []string{FactLogIn, FactAuthenticated, FactSessionOpen, FactSessionClose, FactUpload, FactFileChange, FactAdminister, FactAccountChange}
}

// What a line says by itself, and what is only inferred from it: codes of the
// 4x4 system. A machine never gives a better one.
const (
	evaluationStated   = "A2"
	evaluationInferred = "A4"
)

const (
	ruleHTTPUser = iota
	ruleWordPressUpload
	ruleWordPressLogIn
	ruleWordPressAdmin
	ruleWordPressREST
	ruleGhost
	ruleDrupalLogIn
	ruleDjangoLogIn
	ruleJoomlaLogIn
	ruleJoomlaAdmin
	rulePHPMyAdminLogIn
	rulePleskLogIn
	ruleWebminLogIn
	ruleCPanelAdmin
	ruleOtherLogIn
	ruleOtherAdmin
	rulePut
	ruleDAV
	rulePostUpload
	ruleSSH
	ruleSSHSession
	ruleConsole
	ruleSu
	ruleSudo
	ruleAccount
	ruleFTPLogIn
	ruleFTPUpload
	ruleFTPChange
	ruleCPanelLogIn
	rulesEnd
)

// rules are all rules, by the constants above.
func rules() []Rule {
	return []Rule{
		ruleHTTPUser:        {"http.user", FactAuthenticated, evaluationInferred, "An access that no other rule takes for a fact, whose user field names a user, answered 2xx or 3xx: that somebody was logged in, no more. All such accesses of one user from one address within five minutes are one fact, at the first of them. Apache httpd and IIS write a user whom they checked; nginx writes whatever name a client sends, so that without the server's configuration nothing is proved."},
		ruleWordPressUpload: {"wordpress.upload", FactUpload, evaluationInferred, "POST to /wp-admin/async-upload.php answered 200: WordPress refuses it with 302, 400 or 403 to who is not logged in or may not upload."},
		ruleWordPressLogIn:  {"wordpress.log_in", FactLogIn, evaluationInferred, "POST to /wp-login.php without an action other than login in the query, answered 302: WordPress goes on to another page after a right password, and answers 200 with the form again after a wrong one."},
		ruleWordPressAdmin:  {"wordpress.admin", FactAdminister, evaluationInferred, "An access below /wp-admin/ answered 2xx: WordPress sends everybody who is not logged in to its log-in page with 302. Left out are what visitors' pages use too (admin-ajax.php, admin-post.php), what installs (install.php, upgrade.php, setup-config.php) and files of look and script. All of one user and address within five minutes are one fact, at the first of them."},
		ruleWordPressREST:   {"wordpress.rest", FactAdminister, evaluationInferred, "POST, PUT, PATCH or DELETE to posts, pages, media, users, settings, plugins or themes below /wp-json/wp/v2/ answered 200 or 201: WordPress answers 401 or 403 to who is not logged in. Comments, which visitors write, are left out."},
		ruleGhost:           {"ghost.admin", FactAdminister, evaluationInferred, "An access below /ghost/api/admin/ or /ghost/api/canary/admin/ other than site and authentication, answered 2xx: Ghost answers 401 or 403 to who is not logged in. All of one address within five minutes are one fact, at the first of them."},
		ruleDrupalLogIn:     {"drupal.log_in", FactLogIn, evaluationInferred, "POST to /user/login or /?q=user/login answered 302 or 303: Drupal goes on after a right password and answers 200 with the form again after a wrong one. The account may be any reader's."},
		ruleDjangoLogIn:     {"django.log_in", FactLogIn, evaluationInferred, "POST to /admin/login/ answered 302: Django's administration goes on after a right password and answers 200 with the form again after a wrong one."},
		ruleJoomlaLogIn:     {"joomla.log_in", FactLogIn, evaluationInferred, "POST to /administrator/index.php without an option in the query: Joomla answers 303 to a right and to a wrong password alike, so that no attempt is ever a fact."},
		ruleJoomlaAdmin:     {"joomla.admin", FactAdminister, evaluationInferred, "POST to /administrator/index.php with option=com_… (other than com_login) in the query, answered 303: Joomla shows the log-in form with 200 to who is not logged in."},
		rulePHPMyAdminLogIn: {"phpmyadmin.log_in", FactLogIn, evaluationInferred, "POST to index.php of a folder phpmyadmin, pma or dbadmin answered 302: phpMyAdmin with log-in by cookie goes on after a right password and answers 200 with the form again after a wrong one."},
		rulePleskLogIn:      {"plesk.log_in", FactLogIn, evaluationInferred, "POST to /login_up.php or /login_up.php3 answered 302 or 303: Plesk goes on after a right password and answers 200 with the form again after a wrong one."},
		ruleWebminLogIn:     {"webmin.log_in", FactLogIn, evaluationInferred, "POST to /session_login.cgi answered 302: Webmin goes on after a right password and answers 200 or 401 after a wrong one."},
		ruleCPanelAdmin:     {"cpanel.admin", FactAdminister, evaluationStated, "An access below /cpsess and digits, cPanel's token of a session, answered 2xx. In cPanel's own access_log only where it names a user. All of one user and address within five minutes are one fact, at the first of them. Webmail uses such tokens, too, so the account may be a mailbox."},
		ruleOtherLogIn:      {"other.log_in", FactLogIn, evaluationInferred, "POST to a path that ends like a log-in page (login, signin, sign_in, log-in, auth, session, xmlrpc.php and the like) of an application that no rule knows: how it answers a right password is unknown, and many redirect after a wrong one too, so that no attempt is ever a fact."},
		ruleOtherAdmin:      {"other.admin", FactAdminister, evaluationInferred, "Any access below /admin/, /administrator/, /wp-admin/, /phpmyadmin/, /pma/ or to /admin.php that no other rule takes: many applications answer everybody there with a log-in form and 200, so that no access is ever a fact."},
		rulePut:             {"http.put", FactUpload, evaluationStated, "PUT answered 201 or 204: the server says that it stored what was sent (RFC 9110 section 9.3.4), which behind an application's interface need not be a file. 200, which pages also give to a method they do not know, is undecided."},
		ruleDAV:             {"http.webdav", FactFileChange, evaluationStated, "MKCOL answered 201, MOVE or COPY answered 201 or 204, DELETE answered 204: the server says that it did it (RFC 4918, RFC 9110 section 9.3.5)."},
		rulePostUpload:      {"other.upload", FactUpload, evaluationInferred, "POST to a path that ends like an upload (upload, upload.php, uploader.php, fileupload and the like, connector.php of elFinder, /fileadmin/) answered 201 or 204. Other answers are undecided, since a page that refuses often answers 200."},
		ruleSSH:             {"ssh.log_in", FactLogIn, evaluationStated, "sshd says “Accepted … for USER from ADDRESS port N ssh2”. The key's fingerprint, where there is one, is kept as a pseudonym. A line in which user and address could be read in two ways is rejected as ambiguous."},
		ruleSSHSession:      {"ssh.session", FactSessionOpen, evaluationStated, "pam_unix of sshd says that a session was opened or closed for a user (session_open, session_close). The line names no address; it is put to the session of the log-in that the same process of sshd reported."},
		ruleConsole:         {"login.session", FactSessionOpen, evaluationStated, "pam_unix of login says that a session was opened or closed for a user on a console (session_open, session_close)."},
		ruleSu:              {"su.session", FactSessionOpen, evaluationStated, "pam_unix of su says that a session was opened by a user: of the user who called su, not of the one whose rights were taken."},
		ruleSudo:            {"sudo.command", FactAdminister, evaluationStated, "sudo says that it ran a command for a user. What was run stands in the line, at its offset."},
		ruleAccount:         {"account.change", FactAccountChange, evaluationStated, "useradd, userdel, usermod, passwd, chpasswd or chage says that an account was made, deleted or changed. The pseudonym is of that account; who did it the line does not say, so that it belongs to no session."},
		ruleFTPLogIn:        {"ftp.log_in", FactLogIn, evaluationStated, "vsftpd, ProFTPD or Pure-FTPd says that a user logged in; anonymous log-ins are none."},
		ruleFTPUpload:       {"ftp.upload", FactUpload, evaluationStated, "A line of an xferlog with direction i and completion c, or “OK UPLOAD” of vsftpd, or “uploaded” of Pure-FTPd: a file was received whole. A download (direction o) is no fact."},
		ruleFTPChange:       {"ftp.change", FactFileChange, evaluationStated, "A line of an xferlog with direction d, or OK DELETE, MKDIR, RMDIR or RENAME of vsftpd."},
		ruleCPanelLogIn:     {"cpanel.log_in", FactLogIn, evaluationStated, "cPanel's session_log says NEW for a user with method=handle_form_login or handle_auth_transfer; cPanel's login_log knows failures only."},
	}
}

// Verdicts of a rule on a line that is its business.
const (
	isFact = iota
	isFailed
	isUndecided
)

// webRule is how one rule finds its accesses: method, path and query decide
// whose an access is, the status what it is.
type webRule struct {
	rule    int
	methods []string // nil: any
	ends    []string // the path ends so
	holds   []string // or holds this
	never   []string // and holds none of these
	query   []string // the query holds one of these; nil: whatever it holds
	without []string // and none of these
	done    []int32  // statuses of a fact; below 10: the whole hundred
	failed  []int32  // of a failed attempt; anything else is undecided
	many    bool     // accesses of five minutes are one fact
}

func refusals() []int32 { return []int32{4, 5} }

// webRules are the rules for access logs, the first that fits decides.
func webRules() []webRule {
	write := []string{"POST", "PUT", "PATCH", "DELETE"}
	post := []string{"POST"}
	look := []string{".css", ".js", ".png", ".gif", ".jpg", ".svg", ".ico", ".woff", "/load-styles.php", "/load-scripts.php", "/wp-admin/css/", "/wp-admin/images/", "/wp-admin/admin-ajax.php", "/wp-admin/admin-post.php", "/wp-admin/install.php", "/wp-admin/upgrade.php", "/wp-admin/setup-config.php"}
	rest := []string{}
	for _, what := range []string{"posts", "pages", "media", "users", "settings", "plugins", "themes"} {
		rest = append(rest, "/wp-json/wp/v2/"+what)
	}
	return []webRule{
		{rule: ruleWordPressUpload, methods: post, ends: []string{"/wp-admin/async-upload.php"}, done: []int32{200}, failed: refusals()},
		{rule: ruleWordPressLogIn, methods: post, ends: []string{"/wp-login.php"}, without: []string{"action=lostpassword", "action=retrievepassword", "action=register", "action=postpass", "action=logout", "action=resetpass", "action=rp", "action=confirmaction", "action=confirm_admin_email", "action=entered_recovery_mode"}, done: []int32{302}, failed: append(refusals(), 200)},
		{rule: ruleWordPressAdmin, holds: []string{"/wp-admin/"}, never: look, done: []int32{2}, failed: refusals(), many: true},
		{rule: ruleWordPressREST, methods: write, holds: rest, done: []int32{200, 201}, failed: refusals()},
		{rule: ruleGhost, holds: []string{"/ghost/api/admin/", "/ghost/api/canary/admin/"}, never: []string{"/admin/site/", "/admin/authentication/"}, done: []int32{2}, failed: refusals(), many: true},
		{rule: ruleDrupalLogIn, methods: post, ends: []string{"/user/login"}, done: []int32{302, 303}, failed: append(refusals(), 200)},
		{rule: ruleDrupalLogIn, methods: post, ends: []string{"/", "/index.php"}, query: []string{"q=user/login", "q=user%2Flogin"}, done: []int32{302, 303}, failed: append(refusals(), 200)},
		{rule: ruleDjangoLogIn, methods: post, ends: []string{"/admin/login/"}, done: []int32{302}, failed: append(refusals(), 200)},
		{rule: ruleJoomlaAdmin, methods: post, ends: []string{"/administrator/index.php"}, query: []string{"option=com_"}, without: []string{"option=com_login"}, done: []int32{303}, failed: refusals()},
		{rule: ruleJoomlaLogIn, methods: post, ends: []string{"/administrator/index.php", "/administrator/"}, failed: refusals()},
		{rule: rulePHPMyAdminLogIn, methods: post, ends: []string{"/phpmyadmin/index.php", "/phpMyAdmin/index.php", "/pma/index.php", "/dbadmin/index.php"}, done: []int32{302}, failed: append(refusals(), 200)},
		{rule: rulePleskLogIn, methods: post, ends: []string{"/login_up.php", "/login_up.php3"}, done: []int32{302, 303}, failed: append(refusals(), 200)},
		{rule: ruleWebminLogIn, methods: post, ends: []string{"/session_login.cgi"}, done: []int32{302}, failed: append(refusals(), 200)},
		{rule: rulePut, methods: []string{"PUT"}, holds: []string{"/"}, done: []int32{201, 204}, failed: refusals()},
		{rule: ruleDAV, methods: []string{"MKCOL"}, holds: []string{"/"}, done: []int32{201}, failed: refusals()},
		{rule: ruleDAV, methods: []string{"MOVE", "COPY"}, holds: []string{"/"}, done: []int32{201, 204}, failed: refusals()},
		{rule: ruleDAV, methods: []string{"DELETE"}, holds: []string{"/"}, done: []int32{204}, failed: refusals()},
		{rule: rulePostUpload, methods: post, ends: []string{"/upload", "/upload/", "/uploads/", "/upload.php", "/uploader.php", "/uploadify.php", "/fileupload", "/file-upload", "/elfinder/php/connector.php", "/connector.minimal.php"}, holds: []string{"/fileadmin/"}, done: []int32{201, 204}, failed: refusals()},
		{rule: ruleOtherLogIn, methods: post, ends: []string{"/login", "/login/", "/login.php", "/login.html", "/login.asp", "/login.aspx", "/login.jsp", "/signin", "/signin/", "/sign-in", "/sign_in", "/log-in", "/log_in", "/auth", "/auth/", "/session", "/sessions", "/xmlrpc.php", "/wp-login.php", "/login/index.php", "/admin.php"}, failed: refusals()},
		{rule: ruleOtherAdmin, holds: []string{"/admin/", "/administrator/", "/wp-admin/", "/phpmyadmin/", "/phpMyAdmin/", "/pma/"}, never: look, failed: refusals()},
		{rule: ruleOtherAdmin, ends: []string{"/admin", "/admin.php", "/administrator", "/wp-login.php"}, failed: refusals()},
	}
}

// takes reports whether accesses with the path may be the rule's business.
func (w *webRule) takes(path string) bool {
	ends := func(s string) bool { return strings.HasSuffix(path, s) }
	holds := func(s string) bool { return strings.Contains(path, s) }
	return (slices.ContainsFunc(w.ends, ends) || slices.ContainsFunc(w.holds, holds)) && !slices.ContainsFunc(w.never, holds)
}

// fits reports whether an access with such a path is.
func (w *webRule) fits(r *record) bool {
	holds := func(s string) bool { return bytes.Contains(r.query, []byte(s)) }
	return (w.methods == nil || slices.Contains(w.methods, string(r.method))) && (w.query == nil || slices.ContainsFunc(w.query, holds)) && !slices.ContainsFunc(w.without, holds)
}

// verdict is what a status makes of an access.
func (w *webRule) verdict(status int32) int {
	holds := func(list []int32) bool {
		return slices.ContainsFunc(list, func(s int32) bool { return s == status || s < 10 && s == status/100 })
	}
	switch {
	case holds(w.done):
		return isFact
	case holds(w.failed):
		return isFailed
	}
	return isUndecided
}

// cpanelToken reports whether the path begins with cPanel's token of a session.
func cpanelToken(path []byte) bool {
	rest, ok := bytes.CutPrefix(path, []byte("/cpsess"))
	n := 0
	for n < len(rest) && digit(rest[n]) {
		n++
	}
	return ok && n >= 8 && n < len(rest) && rest[n] == '/'
}
