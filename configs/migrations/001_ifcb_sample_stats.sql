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

-- Written where transform ifcb-stats has fields=pid,url. A table of before gains them.
ALTER TABLE ifcb_sample_stats
	ADD COLUMN IF NOT EXISTS pid VARCHAR,
	ADD COLUMN IF NOT EXISTS url VARCHAR;

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
COMMENT ON COLUMN ifcb_sample_stats.pid IS 'Name of the bin, where the statistics carry it; the view ifcb_images has it always.';
COMMENT ON COLUMN ifcb_sample_stats.url IS 'Address of the image at its dashboard, where the statistics carry it; the view ifcb_images has it whenever it is known.';

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
