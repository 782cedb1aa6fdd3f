-- The tables, views and roles as version 1.0.0 made them.
-- One row per image of an IFCB sample, written by the connector ifcb-postgres
-- and read by the read API as role web_anon. Can be run again.

CREATE TABLE IF NOT EXISTS ifcb_sample_stats (
	time                INT        NOT NULL,
	ifcb_id             VARCHAR(7) NOT NULL,
	roi                 INT        NOT NULL,
	name                VARCHAR    NOT NULL,
	prob                FLOAT      NOT NULL,
	classifier          VARCHAR    NOT NULL,
	classification_time INT        NOT NULL,
	biovolume           FLOAT      NOT NULL,
	carbon              FLOAT      NOT NULL,
	hab                 BOOLEAN    NOT NULL,
	PRIMARY KEY (time, ifcb_id, roi)
);

COMMENT ON TABLE  ifcb_sample_stats IS 'Class, size and carbon of every particle that an Imaging FlowCytobot photographed, with the best classification known.';
COMMENT ON COLUMN ifcb_sample_stats.time IS 'When the sample was taken, seconds since 1970 UTC.';
COMMENT ON COLUMN ifcb_sample_stats.ifcb_id IS 'Instrument, such as IFCB104.';
COMMENT ON COLUMN ifcb_sample_stats.roi IS 'Number of the image in its sample.';
COMMENT ON COLUMN ifcb_sample_stats.name IS 'Class of the particle.';
COMMENT ON COLUMN ifcb_sample_stats.prob IS 'Probability of the class, 0 to 1.';
COMMENT ON COLUMN ifcb_sample_stats.classifier IS 'Model and version that classified the image, as name:version.';
COMMENT ON COLUMN ifcb_sample_stats.classification_time IS 'When the image was classified, seconds since 1970 UTC.';
COMMENT ON COLUMN ifcb_sample_stats.biovolume IS 'Biovolume, cubic micrometres.';
COMMENT ON COLUMN ifcb_sample_stats.carbon IS 'Carbon content, picograms.';
COMMENT ON COLUMN ifcb_sample_stats.hab IS 'Whether the class is a harmful alga.';

CREATE INDEX IF NOT EXISTS ifcb_sample_stats_ifcb_id_time ON ifcb_sample_stats (ifcb_id, time);
CREATE INDEX IF NOT EXISTS ifcb_sample_stats_ifcb_id_time_hab ON ifcb_sample_stats (ifcb_id, time, hab);

CREATE OR REPLACE VIEW ifcb_sample_stats_time AS
	SELECT to_timestamp(time) AS time, ifcb_id, roi, name, prob, classifier,
		to_timestamp(classification_time) AS classification_time, biovolume, carbon, hab
	FROM ifcb_sample_stats;

COMMENT ON VIEW   ifcb_sample_stats_time IS 'ifcb_sample_stats with timestamps in place of seconds.';
COMMENT ON COLUMN ifcb_sample_stats_time.time IS 'When the sample was taken.';
COMMENT ON COLUMN ifcb_sample_stats_time.ifcb_id IS 'Instrument, such as IFCB104.';
COMMENT ON COLUMN ifcb_sample_stats_time.roi IS 'Number of the image in its sample.';
COMMENT ON COLUMN ifcb_sample_stats_time.name IS 'Class of the particle.';
COMMENT ON COLUMN ifcb_sample_stats_time.prob IS 'Probability of the class, 0 to 1.';
COMMENT ON COLUMN ifcb_sample_stats_time.classifier IS 'Model and version that classified the image, as name:version.';
COMMENT ON COLUMN ifcb_sample_stats_time.classification_time IS 'When the image was classified.';
COMMENT ON COLUMN ifcb_sample_stats_time.biovolume IS 'Biovolume, cubic micrometres.';
COMMENT ON COLUMN ifcb_sample_stats_time.carbon IS 'Carbon content, picograms.';
COMMENT ON COLUMN ifcb_sample_stats_time.hab IS 'Whether the class is a harmful alga.';

-- The role that the read API takes on for everyone. Roles are shared by all
-- databases of a server, so two migrations may want to make it at once.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'web_anon') THEN
		CREATE ROLE web_anon NOLOGIN;
	END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
	NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO web_anon;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO web_anon;
-- Tables that the user who runs this makes later, such as a sink with auto.create.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO web_anon;

-- The read API logs in as the user who runs this and becomes web_anon.
DO $$
BEGIN
	IF NOT pg_has_role(current_user, 'web_anon', 'MEMBER') THEN
		EXECUTE format('GRANT web_anon TO %I', current_user);
	END IF;
END
$$;

NOTIFY pgrst, 'reload schema';
-- One row per bin, written by the connector ifcb-bins from the bin ledger, and
-- views that relate particles to the volume of water they were found in. Can be
-- run again, after 001_ifcb_sample_stats.sql.

CREATE TABLE IF NOT EXISTS ifcb_bins (
	time        INT        NOT NULL,
	ifcb_id     VARCHAR(7) NOT NULL,
	pid         VARCHAR    NOT NULL,
	dataset     VARCHAR    NOT NULL,
	dashboard   VARCHAR    NOT NULL,
	status      VARCHAR    NOT NULL,
	reason      VARCHAR,
	expected    INT,
	ingested    INT        NOT NULL,
	failed      INT        NOT NULL,
	ml_analyzed FLOAT,
	latitude    FLOAT,
	longitude   FLOAT,
	depth       FLOAT,
	tags        VARCHAR,
	updated     TIMESTAMP  NOT NULL,
	PRIMARY KEY (time, ifcb_id)
);

COMMENT ON TABLE  ifcb_bins IS 'What became of every bin: how many of its images are in Kafka, and the water they were found in.';
COMMENT ON COLUMN ifcb_bins.time IS 'When the sample was taken, seconds since 1970 UTC.';
COMMENT ON COLUMN ifcb_bins.ifcb_id IS 'Instrument, such as IFCB104.';
COMMENT ON COLUMN ifcb_bins.pid IS 'Name of the bin, such as D20190728T212639_IFCB104.';
COMMENT ON COLUMN ifcb_bins.dataset IS 'Dataset of the dashboard it was last read from.';
COMMENT ON COLUMN ifcb_bins.dashboard IS 'Address it was last read from.';
COMMENT ON COLUMN ifcb_bins.status IS 'complete, partial (some images failed), empty (no images), failed (none could be had) or skipped (flagged on the dashboard).';
COMMENT ON COLUMN ifcb_bins.reason IS 'Why the bin is not complete.';
COMMENT ON COLUMN ifcb_bins.expected IS 'Images of the bin.';
COMMENT ON COLUMN ifcb_bins.ingested IS 'Images that were published.';
COMMENT ON COLUMN ifcb_bins.failed IS 'Images that could not be had.';
COMMENT ON COLUMN ifcb_bins.ml_analyzed IS 'Volume of water that was looked at, ml; null when unknown.';
COMMENT ON COLUMN ifcb_bins.latitude IS 'Where the sample was taken, degrees north.';
COMMENT ON COLUMN ifcb_bins.longitude IS 'Where the sample was taken, degrees east.';
COMMENT ON COLUMN ifcb_bins.depth IS 'Depth of the sample, m.';
COMMENT ON COLUMN ifcb_bins.tags IS 'Tags on the dashboard, with commas between.';
COMMENT ON COLUMN ifcb_bins.updated IS 'When the row was written, UTC.';

-- 'NaN' is above 'Infinity' in PostgreSQL: this keeps both out.
CREATE OR REPLACE VIEW ifcb_bin_volumes AS
	SELECT time, ifcb_id, ml_analyzed
	FROM ifcb_bins
	WHERE status IN ('complete', 'partial', 'empty') AND ml_analyzed > 0 AND ml_analyzed < 'Infinity';

COMMENT ON VIEW ifcb_bin_volumes IS 'The bins that count for concentrations: their images were taken and their volume is known.';

CREATE OR REPLACE VIEW ifcb_concentration_bin AS
	SELECT to_timestamp(s.time) AS time, s.ifcb_id, b.pid, b.dataset, b.latitude, b.longitude, b.depth,
		s.name, s.hab, s.cells, s.biovolume, s.carbon, b.ml_analyzed,
		s.cells / v.ml_analyzed AS cells_per_ml,
		s.biovolume / v.ml_analyzed AS biovolume_per_ml,
		s.carbon / v.ml_analyzed AS carbon_per_ml,
		b.expected, b.ingested, b.failed,
		CASE
			WHEN b.pid IS NULL THEN 'the bin is not in ifcb_bins'
			WHEN b.status IN ('failed', 'skipped') THEN 'the bin is ' || b.status
			WHEN b.ml_analyzed IS NULL THEN 'the volume is unknown'
			WHEN v.ml_analyzed IS NULL THEN 'the volume is ' || b.ml_analyzed
		END AS reason
	FROM (
		SELECT time, ifcb_id, name, bool_or(hab) AS hab, count(*) AS cells, sum(biovolume) AS biovolume, sum(carbon) AS carbon
		FROM ifcb_sample_stats
		GROUP BY time, ifcb_id, name
	) s
	LEFT JOIN ifcb_bins b USING (time, ifcb_id)
	LEFT JOIN ifcb_bin_volumes v USING (time, ifcb_id);

COMMENT ON VIEW   ifcb_concentration_bin IS 'Particles, biovolume and carbon per millilitre by bin and class. A class without a row was not seen.';
COMMENT ON COLUMN ifcb_concentration_bin.time IS 'When the sample was taken.';
COMMENT ON COLUMN ifcb_concentration_bin.cells IS 'Images of the class.';
COMMENT ON COLUMN ifcb_concentration_bin.biovolume IS 'Their biovolume, cubic micrometres.';
COMMENT ON COLUMN ifcb_concentration_bin.carbon IS 'Their carbon, picograms.';
COMMENT ON COLUMN ifcb_concentration_bin.cells_per_ml IS 'Images of the class per millilitre.';
COMMENT ON COLUMN ifcb_concentration_bin.biovolume_per_ml IS 'Cubic micrometres per millilitre.';
COMMENT ON COLUMN ifcb_concentration_bin.carbon_per_ml IS 'Picograms of carbon per millilitre.';
COMMENT ON COLUMN ifcb_concentration_bin.failed IS 'Images of the bin, of any class, that could not be had: with some, the concentration is too low.';
COMMENT ON COLUMN ifcb_concentration_bin.reason IS 'Why there is no concentration.';

-- Concentrations by periods of so many seconds. What is seen in the bins of known
-- volume is divided by the volume of all such bins, also those without the class.
-- PostgreSQL inlines it, so that conditions on time and ifcb_id reach the tables.
CREATE OR REPLACE FUNCTION ifcb_concentration(seconds INT)
RETURNS TABLE ("time" TIMESTAMPTZ, ifcb_id VARCHAR, name VARCHAR, hab BOOLEAN, cells BIGINT, biovolume FLOAT, carbon FLOAT,
	ml_analyzed FLOAT, cells_per_ml FLOAT, biovolume_per_ml FLOAT, carbon_per_ml FLOAT,
	bins BIGINT, bins_without_volume BIGINT, failed BIGINT, reason TEXT)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT to_timestamp(start), ifcb_id, s.name, s.hab, s.cells, s.biovolume, s.carbon,
		b.ml_analyzed, s.seen / b.ml_analyzed, s.seen_biovolume / b.ml_analyzed, s.seen_carbon / b.ml_analyzed,
		coalesce(b.bins, 0), coalesce(b.bins_without_volume, 0), coalesce(b.failed, 0),
		CASE
			WHEN b.bins IS NULL THEN 'no bin of the period is in ifcb_bins'
			WHEN b.ml_analyzed IS NULL THEN 'no bin of the period has a volume'
		END
	FROM (
		SELECT time / seconds * seconds AS start, ifcb_id, name, bool_or(hab) AS hab,
			count(*) AS cells, sum(biovolume) AS biovolume, sum(carbon) AS carbon,
			count(*) FILTER (WHERE counts) AS seen,
			coalesce(sum(biovolume) FILTER (WHERE counts), 0) AS seen_biovolume,
			coalesce(sum(carbon) FILTER (WHERE counts), 0) AS seen_carbon
		FROM ifcb_sample_stats
		LEFT JOIN (SELECT time, ifcb_id, true AS counts FROM ifcb_bin_volumes) v USING (time, ifcb_id)
		GROUP BY 1, ifcb_id, name
	) s
	LEFT JOIN (
		SELECT time / seconds * seconds AS start, ifcb_id, count(*) AS bins, count(*) - count(v.ml_analyzed) AS bins_without_volume,
			sum(v.ml_analyzed) AS ml_analyzed, sum(failed) AS failed
		FROM ifcb_bins
		LEFT JOIN ifcb_bin_volumes v USING (time, ifcb_id)
		GROUP BY 1, ifcb_id
	) b USING (start, ifcb_id)
$$;

CREATE OR REPLACE VIEW ifcb_concentration_hour AS SELECT * FROM ifcb_concentration(3600);
CREATE OR REPLACE VIEW ifcb_concentration_day AS SELECT * FROM ifcb_concentration(86400);

-- The hour and the day of a row, as the views compute them.
CREATE INDEX IF NOT EXISTS ifcb_sample_stats_hour ON ifcb_sample_stats (to_timestamp(time / 3600 * 3600), ifcb_id);
CREATE INDEX IF NOT EXISTS ifcb_sample_stats_day ON ifcb_sample_stats (to_timestamp(time / 86400 * 86400), ifcb_id);

DO $$
DECLARE
	period TEXT;
BEGIN
	FOREACH period IN ARRAY ARRAY['hour', 'day'] LOOP
		EXECUTE format('COMMENT ON VIEW ifcb_concentration_%s IS %L', period,
			'Particles, biovolume and carbon per millilitre by ' || period || ', UTC, and class. A class without a row was not seen.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.time IS %L', period, 'When the ' || period || ' begins.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.cells IS %L', period, 'Images of the class.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.ml_analyzed IS %L', period, 'Water of all bins whose volume is known, ml.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.cells_per_ml IS %L', period, 'Images of the class in those bins per millilitre.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.biovolume_per_ml IS %L', period, 'Cubic micrometres per millilitre.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.carbon_per_ml IS %L', period, 'Picograms of carbon per millilitre.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.bins_without_volume IS %L', period, 'Bins that failed, were skipped or whose volume is unknown: they do not count.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.failed IS %L', period, 'Images of any class that could not be had: with some, the concentration is too low.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.reason IS %L', period, 'Why there is no concentration.');
	END LOOP;
END
$$;

GRANT SELECT ON ifcb_bins, ifcb_bin_volumes, ifcb_concentration_bin, ifcb_concentration_hour, ifcb_concentration_day TO web_anon;

NOTIFY pgrst, 'reload schema';
