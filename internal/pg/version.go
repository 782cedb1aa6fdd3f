package pg

import "context"

// VersionTable is where a database's versions are noted, by the package migrations.
const VersionTable = "hydraulics_versions"

// Version gives the newest version that a database has; false where none is noted.
func Version(ctx context.Context, q Querier) (version int64, noted bool, err error) {
	if err := q.QueryRow(ctx, "SELECT pg_catalog.to_regclass('"+VersionTable+"') IS NOT NULL").Scan(&noted); err != nil || !noted {
		return 0, false, err
	}
	err = q.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+VersionTable+" WHERE is_applied").Scan(&version)
	return version, version > 0, err
}
