-- drops: ifcb_sample_stats
-- The role web_anon stays: it is the server's, and others may use it.
DROP VIEW IF EXISTS ifcb_sample_stats_time;
DROP TABLE IF EXISTS ifcb_sample_stats;
NOTIFY pgrst, 'reload schema';
