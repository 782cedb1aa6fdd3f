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

-- A table of before gains what later versions of the ledger tell.
ALTER TABLE ifcb_bins
	ADD COLUMN IF NOT EXISTS ml_analyzed_source VARCHAR,
	ADD COLUMN IF NOT EXISTS ml_analyzed_reason VARCHAR,
	ADD COLUMN IF NOT EXISTS position_source    VARCHAR,
	ADD COLUMN IF NOT EXISTS position_reason    VARCHAR,
	ADD COLUMN IF NOT EXISTS sample_type        VARCHAR,
	ADD COLUMN IF NOT EXISTS run_flags          VARCHAR,
	ADD COLUMN IF NOT EXISTS temperature        FLOAT,
	ADD COLUMN IF NOT EXISTS humidity           FLOAT,
	ADD COLUMN IF NOT EXISTS run_time           FLOAT,
	ADD COLUMN IF NOT EXISTS clock_offset       FLOAT,
	ADD COLUMN IF NOT EXISTS url                VARCHAR,
	ADD COLUMN IF NOT EXISTS quality            VARCHAR,
	ADD COLUMN IF NOT EXISTS quality_reasons    VARCHAR;

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
COMMENT ON COLUMN ifcb_bins.ml_analyzed_source IS 'Who told ml_analyzed: header, adc, each a part, or dashboard.';
COMMENT ON COLUMN ifcb_bins.ml_analyzed_reason IS 'Why ml_analyzed is unknown, or which witness says another thing.';
COMMENT ON COLUMN ifcb_bins.position_source IS 'Who told the position: dashboard or header.';
COMMENT ON COLUMN ifcb_bins.position_reason IS 'Why a position that was told is not believed.';
COMMENT ON COLUMN ifcb_bins.sample_type IS 'What was sampled, as dashboard or header say it, such as Normal or Beads.';
COMMENT ON COLUMN ifcb_bins.run_flags IS 'What the run was, with commas between: beads, test, culture, cleaning, blank, calibration (no sample of the water), fast, alternate.';
COMMENT ON COLUMN ifcb_bins.temperature IS 'Temperature in the instrument, degrees Celsius.';
COMMENT ON COLUMN ifcb_bins.humidity IS 'Relative humidity in the instrument, %.';
COMMENT ON COLUMN ifcb_bins.run_time IS 'How long the instrument took the sample, s.';
COMMENT ON COLUMN ifcb_bins.clock_offset IS 'By how much the clock of the instrument was ahead, s.';
COMMENT ON COLUMN ifcb_bins.url IS 'Where the files of the bin are at its dashboard, without extension.';
COMMENT ON COLUMN ifcb_bins.quality IS 'pass or fail, by transform ifcb-quality; null where it was not checked.';
COMMENT ON COLUMN ifcb_bins.quality_reasons IS 'Why the quality is fail, with semicolons between.';

-- What counts for the views; a row is there always.
CREATE TABLE IF NOT EXISTS ifcb_settings (
	one              BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
	count_other_runs BOOLEAN NOT NULL DEFAULT false,
	leave_out_failed BOOLEAN NOT NULL DEFAULT false
);
INSERT INTO ifcb_settings DEFAULT VALUES ON CONFLICT DO NOTHING;

COMMENT ON TABLE  ifcb_settings IS 'What counts for concentrations: UPDATE ifcb_settings SET leave_out_failed = true.';
COMMENT ON COLUMN ifcb_settings.count_other_runs IS 'Whether runs of beads, tests, cultures and the like count as samples of the water.';
COMMENT ON COLUMN ifcb_settings.leave_out_failed IS 'Whether bins that failed their quality check have no concentration.';

CREATE OR REPLACE VIEW ifcb_other_runs AS
	SELECT time, ifcb_id, pid, sample_type, run_flags, to_timestamp(time) AS sampled
	FROM ifcb_bins
	WHERE run_flags ~ '(^|,)(beads|test|culture|cleaning|blank|calibration)(,|$)'
		AND NOT coalesce((SELECT count_other_runs FROM ifcb_settings), false);

COMMENT ON VIEW ifcb_other_runs IS 'The bins that are no samples of the water: concentrations leave them and their images out.';

-- 'NaN' is above 'Infinity' in PostgreSQL: this keeps both out.
CREATE OR REPLACE VIEW ifcb_bin_volumes AS
	SELECT time, ifcb_id, ml_analyzed, to_timestamp(time) AS sampled
	FROM ifcb_bins b
	WHERE status IN ('complete', 'partial', 'empty') AND ml_analyzed > 0 AND ml_analyzed < 'Infinity'
		AND NOT EXISTS (SELECT FROM ifcb_other_runs o WHERE o.time = b.time AND o.ifcb_id = b.ifcb_id)
		AND (quality IS DISTINCT FROM 'fail' OR NOT coalesce((SELECT leave_out_failed FROM ifcb_settings), false));

COMMENT ON VIEW ifcb_bin_volumes IS 'The bins that count for concentrations: samples of the water whose images were taken and whose volume is known.';

-- The name of a bin, from its time and instrument.
CREATE OR REPLACE FUNCTION ifcb_pid("time" INT, ifcb_id VARCHAR) RETURNS VARCHAR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN $2 ~ '^IFCB\d$' THEN $2 || to_char(to_timestamp($1) AT TIME ZONE 'UTC', '_YYYY_DDD_HH24MISS')
		ELSE to_char(to_timestamp($1) AT TIME ZONE 'UTC', '"D"YYYYMMDD"T"HH24MISS_') || $2
	END
$$;

CREATE OR REPLACE VIEW ifcb_images AS
	SELECT to_timestamp(s.time) AS time, s.ifcb_id, coalesce(b.pid, s.pid, ifcb_pid(s.time, s.ifcb_id)) AS pid, s.roi,
		coalesce(s.url, b.url || '_' || lpad(s.roi::text, greatest(5, length(s.roi::text)), '0') || '.png') AS url,
		s.name, s.prob, s.classifier, to_timestamp(s.classification_time) AS classification_time, s.biovolume, s.carbon, s.hab,
		b.dataset, b.latitude, b.longitude, b.depth, b.sample_type, b.run_flags, b.quality, b.quality_reasons
	FROM ifcb_sample_stats s
	LEFT JOIN ifcb_bins b USING (time, ifcb_id);

COMMENT ON VIEW   ifcb_images IS 'ifcb_sample_stats with timestamps, the name of the bin, the address of the image and what is known of its bin.';
COMMENT ON COLUMN ifcb_images.time IS 'When the sample was taken.';
COMMENT ON COLUMN ifcb_images.pid IS 'Name of the bin, such as D20190728T212639_IFCB104.';
COMMENT ON COLUMN ifcb_images.url IS 'Address of the image at its dashboard; null for a bin from a folder.';

CREATE OR REPLACE VIEW ifcb_bins_time AS
	SELECT to_timestamp(b.time) AS time, ifcb_id, pid, dataset, dashboard, status, reason, expected, ingested, failed,
		ml_analyzed, ml_analyzed_source, ml_analyzed_reason, latitude, longitude, depth, position_source, position_reason,
		tags, sample_type, run_flags, temperature, humidity, run_time, clock_offset, url, quality, quality_reasons,
		updated AT TIME ZONE 'UTC' AS updated
	FROM ifcb_bins b;

COMMENT ON VIEW ifcb_bins_time IS 'ifcb_bins with timestamps in place of seconds.';

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
			WHEN b.ml_analyzed IS NULL THEN 'the volume is unknown' || coalesce(': ' || b.ml_analyzed_reason, '')
			WHEN v.ml_analyzed IS NULL AND b.ml_analyzed > 0 AND b.ml_analyzed < 'Infinity' THEN 'the bin failed its quality check: ' || coalesce(b.quality_reasons, '')
			WHEN v.ml_analyzed IS NULL THEN 'the volume is ' || b.ml_analyzed
		END AS reason,
		b.url, b.sample_type, b.run_flags, b.quality, b.quality_reasons
	FROM (
		SELECT time, ifcb_id, name, bool_or(hab) AS hab, count(*) AS cells, sum(biovolume) AS biovolume, sum(carbon) AS carbon
		FROM ifcb_sample_stats
		GROUP BY time, ifcb_id, name
	) s
	LEFT JOIN ifcb_bins b USING (time, ifcb_id)
	LEFT JOIN ifcb_bin_volumes v USING (time, ifcb_id)
	WHERE NOT EXISTS (SELECT FROM ifcb_other_runs o WHERE o.time = s.time AND o.ifcb_id = s.ifcb_id);

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
-- PostgreSQL inlines it, so that a condition on the time chooses periods, and each
-- of these reads its part of the tables by their primary keys: a question about a
-- day does not read the years before, and the original's indexes are enough. The
-- series begins a period early, where a time before 1970 would be.
CREATE OR REPLACE FUNCTION ifcb_concentration(seconds INT)
RETURNS TABLE ("time" TIMESTAMPTZ, ifcb_id VARCHAR, name VARCHAR, hab BOOLEAN, cells BIGINT, biovolume FLOAT, carbon FLOAT,
	ml_analyzed FLOAT, cells_per_ml FLOAT, biovolume_per_ml FLOAT, carbon_per_ml FLOAT,
	bins BIGINT, bins_without_volume BIGINT, failed BIGINT, reason TEXT)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT to_timestamp(p.start), ifcb_id, s.name, s.hab, s.cells, s.biovolume, s.carbon,
		b.ml_analyzed, s.seen / b.ml_analyzed, s.seen_biovolume / b.ml_analyzed, s.seen_carbon / b.ml_analyzed,
		coalesce(b.bins, 0), coalesce(b.bins_without_volume, 0), coalesce(b.failed, 0),
		CASE
			WHEN b.bins IS NULL THEN 'no bin of the period is in ifcb_bins'
			WHEN b.ml_analyzed IS NULL THEN 'no bin of the period has a volume'
		END
	FROM generate_series((SELECT (min(time)::BIGINT / seconds - 1) * seconds FROM ifcb_sample_stats),
		(SELECT max(time)::BIGINT FROM ifcb_sample_stats), seconds::BIGINT) AS p (start)
	CROSS JOIN LATERAL (
		SELECT ifcb_id, name, bool_or(hab) AS hab,
			count(*) AS cells, sum(biovolume) AS biovolume, sum(carbon) AS carbon,
			count(*) FILTER (WHERE counts) AS seen,
			coalesce(sum(biovolume) FILTER (WHERE counts), 0) AS seen_biovolume,
			coalesce(sum(carbon) FILTER (WHERE counts), 0) AS seen_carbon
		FROM ifcb_sample_stats i
		LEFT JOIN (SELECT time, ifcb_id, true AS counts FROM ifcb_bin_volumes) v USING (time, ifcb_id)
		WHERE time >= p.start AND time < p.start + seconds
			AND NOT EXISTS (SELECT FROM ifcb_other_runs o WHERE o.time = i.time AND o.ifcb_id = i.ifcb_id)
		GROUP BY ifcb_id, name
	) s
	LEFT JOIN LATERAL (
		SELECT ifcb_id, count(*) AS bins, count(*) - count(v.ml_analyzed) AS bins_without_volume,
			sum(v.ml_analyzed) AS ml_analyzed, sum(failed) AS failed
		FROM ifcb_bins i
		LEFT JOIN ifcb_bin_volumes v USING (time, ifcb_id)
		WHERE time >= p.start AND time < p.start + seconds
			AND NOT EXISTS (SELECT FROM ifcb_other_runs o WHERE o.time = i.time AND o.ifcb_id = i.ifcb_id)
		GROUP BY ifcb_id
	) b USING (ifcb_id)
$$;

CREATE OR REPLACE VIEW ifcb_concentration_hour AS SELECT * FROM ifcb_concentration(3600);
CREATE OR REPLACE VIEW ifcb_concentration_day AS SELECT * FROM ifcb_concentration(86400);

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
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.bins_without_volume IS %L', period, 'Bins that failed, were skipped, whose volume is unknown or, by ifcb_settings, whose quality is: they do not count.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.failed IS %L', period, 'Images of any class that could not be had: with some, the concentration is too low.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.reason IS %L', period, 'Why there is no concentration.');
	END LOOP;
END
$$;

GRANT SELECT ON ifcb_bins, ifcb_bins_time, ifcb_images, ifcb_other_runs, ifcb_settings, ifcb_bin_volumes, ifcb_concentration_bin, ifcb_concentration_hour, ifcb_concentration_day TO web_anon;

NOTIFY pgrst, 'reload schema';
