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
		FROM ifcb_sample_stats
		LEFT JOIN (SELECT time, ifcb_id, true AS counts FROM ifcb_bin_volumes) v USING (time, ifcb_id)
		WHERE time >= p.start AND time < p.start + seconds
		GROUP BY ifcb_id, name
	) s
	LEFT JOIN LATERAL (
		SELECT ifcb_id, count(*) AS bins, count(*) - count(v.ml_analyzed) AS bins_without_volume,
			sum(v.ml_analyzed) AS ml_analyzed, sum(failed) AS failed
		FROM ifcb_bins
		LEFT JOIN ifcb_bin_volumes v USING (time, ifcb_id)
		WHERE time >= p.start AND time < p.start + seconds
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
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.bins_without_volume IS %L', period, 'Bins that failed, were skipped or whose volume is unknown: they do not count.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.failed IS %L', period, 'Images of any class that could not be had: with some, the concentration is too low.');
		EXECUTE format('COMMENT ON COLUMN ifcb_concentration_%s.reason IS %L', period, 'Why there is no concentration.');
	END LOOP;
END
$$;

GRANT SELECT ON ifcb_bins, ifcb_bin_volumes, ifcb_concentration_bin, ifcb_concentration_hour, ifcb_concentration_day TO web_anon;

NOTIFY pgrst, 'reload schema';
