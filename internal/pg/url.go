package pg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say which server to use, and how.
type Options struct {
	// URL is jdbc:postgresql://... with pgjdbc's parameters, postgres://... or
	// libpq's key=value form.
	URL string
	// User and Password count more than those in the URL, if they are not empty.
	User, Password string
	// ApplicationName is what the server shows for the connections, unless the URL says.
	ApplicationName string
	// MaxConns bounds the pool; 0 leaves it to the URL (pool_max_conns).
	MaxConns int32
	// Writes asks for a server that takes writes where the URL names several and
	// does not say which.
	Writes bool
	// Now, if not nil, gives the options as they are by now: each new connection has
	// their user and password.
	Now func() (Options, error)
}

// The time-outs where a URL does not say. A server that does not acknowledge
// what it is sent is gone; one that says nothing may be at work.
const (
	connectTimeout     = 10 * time.Second
	acknowledgeTimeout = time.Minute
)

// ParseOptions gives the pool's configuration and remarks on parameters that
// have no effect here. The error never contains the URL: it may hold a password.
func ParseOptions(o Options) (conf *pgxpool.Config, remarks []string, err error) {
	text := strings.TrimSpace(o.URL)
	var jdbc jdbcParams
	if rest, ok := strings.CutPrefix(text, "jdbc:"); ok {
		if text, jdbc, err = fromJDBC(rest); err != nil {
			return nil, nil, err
		}
	} else if text == "" {
		return nil, nil, errors.New("the URL is empty, expected such as jdbc:postgresql://localhost:5432/db")
	}
	if scheme, _, ok := strings.Cut(text, "://"); ok && scheme != "postgres" && scheme != "postgresql" && !strings.Contains(scheme, "=") {
		return nil, nil, errors.New("the URL begins with neither jdbc:postgresql:// nor postgres://")
	}
	if conf, err = pgxpool.ParseConfig(withUser(text, cmp.Or(o.User, jdbc.user))); err != nil {
		return nil, nil, parseReason(err)
	}
	c := conf.ConnConfig
	c.User = cmp.Or(o.User, jdbc.user, c.User)
	if jdbc.password != "" {
		c.Password = jdbc.password
	}
	if o.Password != "" {
		c.Password = o.Password
	}
	own, err := takeOwn(c.RuntimeParams)
	if err != nil {
		return nil, nil, err
	}
	c.DefaultQueryExecMode = execMode(c.DefaultQueryExecMode, text, own.unprepared || jdbc.unprepared)
	if jdbc.preferPrimary {
		conf.BeforeConnect = preferPrimary
	}
	if o.Now != nil {
		conf.BeforeConnect = renewed(o.Now, conf.BeforeConnect)
	}
	if o.Writes && c.ValidateConnect == nil && severalHosts(c) && !jdbc.preferPrimary {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	if c.RuntimeParams["application_name"] == "" && o.ApplicationName != "" {
		c.RuntimeParams["application_name"] = o.ApplicationName
	}
	dial := jdbc.connect
	if dial == 0 {
		dial = c.ConnectTimeout
	}
	c.ConnectTimeout = cmp.Or(jdbc.login, c.ConnectTimeout, jdbc.connect, connectTimeout)
	c.DialFunc = dialer(cmp.Or(dial, c.ConnectTimeout), cmp.Or(own.acknowledge, acknowledgeTimeout)).DialContext
	c.OnPgError = onError(c.OnPgError)
	if o.MaxConns > 0 {
		conf.MaxConns = o.MaxConns
	}
	return conf, slices.Concat(jdbc.remarks, own.remarks), nil
}

// withUser puts a user into an address, by whom a password file is searched, too.
func withUser(text, user string) string {
	if user == "" {
		return text
	}
	if u, err := url.Parse(text); err == nil && u.Scheme != "" {
		mark := "?"
		if u.RawQuery != "" {
			mark = "&"
		}
		return text + mark + "user=" + strings.ReplaceAll(url.QueryEscape(user), "+", "%20")
	}
	return text + " user='" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(user) + "'"
}

// execMode gives how statements are sent: as unnamed ones, in one round trip, so
// that a pooler between us and the server may give each transaction another
// connection. Named ones, or the simple protocol, are for a URL that asks.
func execMode(asked pgx.QueryExecMode, url string, unprepared bool) pgx.QueryExecMode {
	switch {
	case asked == pgx.QueryExecModeSimpleProtocol:
		return asked
	case asked == pgx.QueryExecModeCacheStatement && strings.Contains(url, "default_query_exec_mode") && !unprepared:
		return asked
	}
	return pgx.QueryExecModeExec
}

// ownParams are parameters of libpq and of other clients that mean something
// here; to the server they would be settings, which it does not know.
type ownParams struct {
	unprepared  bool
	acknowledge time.Duration
	remarks     []string
}

// unpreparedParams are other clients' words for a pooler that shares
// connections, and the value that says there is one.
var unpreparedParams = map[string]string{
	"prepareThreshold": "0", "prepare_threshold": "0", "preferQueryMode": "simple", "prepared_statements": "false", "pgbouncer": "true",
	"binary_parameters": "yes", "statement_cache_size": "0", "statement_cache_mode": "describe",
}

// takeOwn takes parameters that are not the server's out of those that are.
func takeOwn(params map[string]string) (o ownParams, err error) {
	for name, value := range params {
		switch off, known := unpreparedParams[name]; {
		case known:
			o.unprepared = o.unprepared || strings.EqualFold(value, off)
		case name == "tcp_user_timeout":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 {
				return o, fmt.Errorf("tcp_user_timeout: %q is not a number of milliseconds", value)
			}
			o.acknowledge = time.Duration(n) * time.Millisecond
		case libpqOnly[name]:
			o.remarks = append(o.remarks, "parameter "+name+" of the URL has no effect")
		default:
			continue
		}
		delete(params, name)
	}
	slices.Sort(o.remarks)
	return o, nil
}

// libpqOnly are libpq's parameters without effect here: dead connections are
// found in any case (see dialer).
var libpqOnly = map[string]bool{
	"keepalives": true, "keepalives_idle": true, "keepalives_interval": true, "keepalives_count": true, "load_balance_hosts": true,
	"gssencmode": true, "gsslib": true, "gssdelegation": true, "sslcrl": true, "sslcrldir": true, "sslcompression": true, "requiressl": true,
}

func severalHosts(c *pgx.ConnConfig) bool {
	return slices.ContainsFunc(c.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != c.Host || f.Port != c.Port })
}

// preferPrimary takes a primary where one of the hosts is one now, else any host.
func preferPrimary(ctx context.Context, c *pgx.ConnConfig) error {
	trial := c.Config.Copy()
	trial.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	conn, err := pgconn.ConnectConfig(ctx, trial)
	if err != nil {
		return nil // the connection itself tells why
	}
	c.ValidateConnect = trial.ValidateConnect
	return conn.Close(ctx)
}

// AnswerTimeout gives how long the URL says to wait for an answer (pgjdbc's
// socketTimeout); 0 where it does not say.
func (o Options) AnswerTimeout() time.Duration {
	rest, ok := strings.CutPrefix(strings.TrimSpace(o.URL), "jdbc:")
	if !ok {
		return 0
	}
	_, jdbc, err := fromJDBC(rest)
	if err != nil {
		return 0 // ParseOptions says
	}
	return jdbc.answer
}

// parseReason gives why pgx refused an address, without the address.
func parseReason(err error) error {
	if e, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		if err = e.Unwrap(); err == nil {
			return errors.New("the URL is malformed")
		}
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("the URL is malformed: %w", u.Err)
	}
	return err
}

// jdbcParams is what a JDBC URL says beside what a postgres URL can say.
type jdbcParams struct {
	user, password         string
	unprepared             bool // prepareThreshold=0: a pooler between us and the server
	preferPrimary          bool
	connect, login, answer time.Duration // 0: not said
	remarks                []string
}

// fromJDBC rewrites pgjdbc's postgresql://host1:5432,host2/db?param=value (the
// host part is optional) as a postgres URL.
func fromJDBC(text string) (string, jdbcParams, error) {
	var p jdbcParams
	rest, ok := strings.CutPrefix(text, "postgresql:")
	if !ok {
		kind, _, _ := strings.Cut(text, ":")
		return "", p, fmt.Errorf("jdbc:%s is no PostgreSQL URL, expected jdbc:postgresql://host:port/database", kind)
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, database := "localhost", rest
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		hosts, database, _ = strings.Cut(after, "/")
		if hosts == "" {
			hosts = "localhost"
		}
	} else {
		database = strings.TrimPrefix(rest, "/")
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return "", p, errors.New("the parameters of the JDBC URL are malformed: a % is not followed by two hexadecimal digits, or there is a semicolon")
	}
	out, err := p.translate(params)
	if err != nil {
		return "", p, err
	}
	if strings.Contains(hosts, "@") {
		return "", p, errors.New("a JDBC URL has no user before the host: use connection.user and connection.password")
	}
	u := "postgres://" + hosts + "/" + database
	if len(out) > 0 {
		u += "?" + strings.ReplaceAll(out.Encode(), "+", "%20") // pgx, as libpq, takes a plus for a plus
	}
	return u, p, nil
}

// same are pgjdbc's parameters that a postgres URL spells otherwise or alike.
var same = map[string]string{
	"sslmode": "sslmode", "sslcert": "sslcert", "sslkey": "sslkey", "sslrootcert": "sslrootcert", "sslpassword": "sslpassword", "passfile": "passfile",
	"currentSchema": "search_path", "ApplicationName": "application_name", "options": "options",
	"gssEncMode": "", "channelBinding": "channel_binding", "requireAuth": "require_auth", "sslNegotiation": "sslnegotiation",
}

// without are parameters whose effect is always or never wanted here: values
// are sent by the live column's type (stringtype), rows many per statement
// (reWriteBatchedInserts).
var without = map[string]bool{
	"stringtype": true, "reWriteBatchedInserts": true, "tcpKeepAlive": true, "loadBalanceHosts": true, "binaryTransfer": true,
	"binaryTransferEnable": true, "binaryTransferDisable": true, "loggerLevel": true, "loggerFile": true, "autosave": true,
	"preparedStatementCacheQueries": true, "preparedStatementCacheSizeMiB": true, "defaultRowFetchSize": true, "ssl": true,
	"sslfactory": true, "sslfactoryarg": true, "hostRecheckSeconds": true, "logUnclosedConnections": true, "sslhostnameverifier": true,
	"assumeMinServerVersion": true, "cleanupSavepoints": true, "escapeSyntaxCallMode": true, "gssEncMode": true, "jaasLogin": true,
}

func (p *jdbcParams) translate(params url.Values) (url.Values, error) {
	out := url.Values{}
	for name := range params {
		value := params.Get(name)
		switch name {
		case "user":
			p.user = value
		case "password":
			p.password = value
		case "prepareThreshold":
			n, err := strconv.Atoi(value)
			if err != nil {
				return nil, fmt.Errorf("prepareThreshold: %q is not an integer", value)
			}
			p.unprepared = n <= 0
		case "preferQueryMode":
			p.unprepared = p.unprepared || value == "simple"
		case "connectTimeout", "loginTimeout", "socketTimeout":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 {
				return nil, fmt.Errorf("%s: %q is not a number of seconds", name, value)
			}
			*map[string]*time.Duration{"connectTimeout": &p.connect, "loginTimeout": &p.login, "socketTimeout": &p.answer}[name] = time.Duration(n) * time.Second
		case "targetServerType":
			target, ok := map[string]string{"any": "any", "primary": "primary", "master": "primary", "secondary": "standby", "slave": "standby",
				"preferSecondary": "prefer-standby", "preferSlave": "prefer-standby", "preferPrimary": "any"}[value]
			if !ok {
				return nil, fmt.Errorf("targetServerType: %q is not any, primary, secondary, preferSecondary or preferPrimary", value)
			}
			out.Set("target_session_attrs", target)
			p.preferPrimary = value == "preferPrimary"
		case "readOnly":
			if strings.EqualFold(value, "true") {
				out.Set("default_transaction_read_only", "on")
			}
		default:
			if to := same[name]; to != "" {
				out.Set(to, value)
			} else if !without[name] {
				p.remarks = append(p.remarks, "parameter "+name+" of the JDBC URL has no effect")
			}
		}
	}
	// As in pgjdbc: ssl=true asks for a verified server, unless a factory that
	// verifies nothing is named.
	if ssl := params.Get("ssl"); params.Has("ssl") && !params.Has("sslmode") && (ssl == "" || strings.EqualFold(ssl, "true")) {
		out.Set("sslmode", "verify-full")
		if strings.HasSuffix(params.Get("sslfactory"), "NonValidatingFactory") {
			out.Set("sslmode", "require")
		}
	}
	return out, nil
}
