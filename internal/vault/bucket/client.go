// Package bucket keeps sealed objects on a server that speaks S3, and reads them back.
// It knows of no case and of no exhibit. Its one invariant: what is written there goes
// out encrypted. Put is all that writes, and everything that it is given to write
// becomes an age file before the first byte leaves; only the head that describes it
// does not. An object is there whole, or it does not exist.
package bucket

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"concert/internal/netguard"
)

const (
	attempts      = 60 // of one request: about half a minute apart from what the attempts themselves take
	firstAttempts = 3  // of the first request: a wrong address shows at once
	patience      = 3 * time.Minute
	answerMost    = 16 << 20 // bytes of an answer that is no object
)

// Server says how a server that speaks S3 is reached.
type Server struct {
	Endpoint string // https://host[:port]; http only where host is a loopback address
	Region   string // "" is us-east-1, which most servers of one region answer to
	CA       string // file of PEM certificates to believe instead of the system's; "" for those

	// Keys. Where both are empty, those of the environment (AWS_ACCESS_KEY_ID and so on)
	// and then of the shared credentials file are taken. No metadata service is asked.
	AccessKey, SecretKey, Token string

	Patience time.Duration // how long nothing at all may arrive or leave; 0: 3 minutes
	Attempts int           // of a request; 0: 60
}

// Errors that a caller may want to tell apart; each comes wrapped in what it was about.
var (
	ErrExists      = errors.New("something of this name is there already")
	ErrMissing     = errors.New("nothing of this name is there, or there is no such bucket")
	ErrCutShort    = errors.New("what the server sent was cut short")
	ErrMore        = errors.New("the server sent more than it promised")
	ErrChanged     = errors.New("it was replaced while it was read")
	ErrNoRange     = errors.New("the server does not send parts of an object that are asked for")
	ErrNotRetained = errors.New("it is stored whole, and the server does not say that it keeps it")
)

// Client is a connection to one server. Many goroutines may use it.
type Client struct {
	first, core *minio.Core
	host        string
}

// Open prepares a connection and asks the server nothing yet.
func Open(s Server) (*Client, error) {
	u, err := endpoint(s.Endpoint)
	if err != nil {
		return nil, err
	}
	keys, err := s.keys()
	if err != nil {
		return nil, err
	}
	tr, err := s.transport(u.Scheme == "https")
	if err != nil {
		return nil, err
	}
	open := func(attempts int) (*minio.Core, error) {
		return minio.NewCore(u.Host, &minio.Options{Creds: keys, Secure: u.Scheme == "https", Transport: tr, Region: cmp.Or(s.Region, "us-east-1"), MaxRetries: attempts})
	}
	core, err := open(cmp.Or(s.Attempts, attempts))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	first, err := open(firstAttempts)
	return &Client{first: first, core: core, host: u.Host}, err
}

func endpoint(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("say on which server the bucket is: -s3-endpoint https://HOST, or CONCERT_S3_ENDPOINT")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		// What was written may hold a secret, so that it is not repeated.
		return nil, errors.New("the address of an S3 server is written https://HOST or https://HOST:PORT, without anything else: keys come from the environment, the bucket from the name")
	}
	switch u.Scheme {
	case "https":
	case "http":
		if addr, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback()) {
			return nil, fmt.Errorf("http://%s: a server is spoken to without TLS only on a loopback address: write https://", u.Host)
		}
	default:
		return nil, fmt.Errorf("%.20q is no scheme of an S3 server: write https://HOST", u.Scheme)
	}
	return u, nil
}

func (s Server) keys() (*credentials.Credentials, error) {
	if (s.AccessKey == "") != (s.SecretKey == "") {
		return nil, errors.New("one half of the keys is missing: set both CONCERT_S3_ACCESS_KEY and CONCERT_S3_SECRET_KEY")
	}
	if s.AccessKey != "" {
		return credentials.NewStaticV4(s.AccessKey, s.SecretKey, s.Token), nil
	}
	chain := credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}})
	if v, err := chain.GetWithContext(&credentials.CredContext{Client: &http.Client{Timeout: time.Minute}}); err != nil || v.AccessKeyID == "" {
		return nil, errors.New("no keys for the S3 server: set CONCERT_S3_ACCESS_KEY and CONCERT_S3_SECRET_KEY, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or keep them in the shared credentials file (AWS_PROFILE names the profile)")
	}
	return chain, nil
}

func (s Server) transport(secure bool) (http.RoundTripper, error) {
	wait := cmp.Or(s.Patience, patience)
	dial := (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	tr := &http.Transport{MaxIdleConnsPerHost: inFlight + 1, ResponseHeaderTimeout: wait, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 30 * time.Second, DisableCompression: true}
	if secure {
		tr.Proxy = http.ProxyFromEnvironment
		tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	} else {
		dial = netguard.Only(netguard.Loopback()...).Dialer(30*time.Second, nil) // whatever localhost is said to be
	}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", s.CA)
		}
		if tr.TLSClientConfig != nil {
			tr.TLSClientConfig.RootCAs = pool
		}
	}
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &lively{c, wait}, nil
	}
	return bounded{tr}, nil
}

// lively is a connection that ends when nothing moves on it for a time, in either
// direction.
type lively struct {
	net.Conn
	wait time.Duration
}

// Read moves the limit of both directions: a long body leaves before an answer comes.
func (l *lively) Read(p []byte) (int, error) {
	if err := l.SetDeadline(time.Now().Add(l.wait)); err != nil {
		return 0, err
	}
	return l.Conn.Read(p)
}

// Write is Read's other direction.
func (l *lively) Write(p []byte) (int, error) {
	if err := l.SetDeadline(time.Now().Add(l.wait)); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

// bounded keeps short what is read of an answer that is no object.
type bounded struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.Transport.RoundTrip(r)
	if err == nil && r.Header.Get("Range") == "" {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, answerMost), res.Body}
	}
	return res, err
}

// explain says what a server's refusal means and what to do.
func (c *Client) explain(name Name, err error) error {
	r := minio.ToErrorResponse(err)
	switch r.Code {
	case "":
		return fmt.Errorf("%s, server %s: %w", name, c.host, err)
	case minio.NoSuchBucket:
		return fmt.Errorf("there is no bucket %s on %s: make it first, or name another", name.Bucket, c.host)
	case minio.NoSuchKey:
		return fmt.Errorf("%s on %s: %w", name, c.host, ErrMissing)
	case minio.AccessDenied:
		return fmt.Errorf("%s: %s does not allow it with these keys: it does not know them, or they may not what docs/evidence.md lists for a bucket", name, c.host)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fmt.Errorf("%s: %s does not know these keys (%s): look at CONCERT_S3_ACCESS_KEY and CONCERT_S3_SECRET_KEY, and at -s3-region", name, c.host, r.Code)
	case "RequestTimeTooSkewed":
		return fmt.Errorf("%s: this machine's clock and that of %s differ by too much: set the clock", name, c.host)
	}
	return fmt.Errorf("%s: %s refused with %.80q: %.300q", name, c.host, r.Code, r.Message)
}

func codeOf(err error) string { return minio.ToErrorResponse(err).Code }
