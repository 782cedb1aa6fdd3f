-- drops: ifcb_bins
-- ifcb_settings goes with it, whose rows are settings: what was changed in them is set again after up.
DROP VIEW IF EXISTS ifcb_concentration_hour, ifcb_concentration_day, ifcb_concentration_bin;
DROP FUNCTION IF EXISTS ifcb_concentration(INT);
DROP VIEW IF EXISTS ifcb_images, ifcb_bins_time, ifcb_bin_volumes, ifcb_other_runs;
DROP FUNCTION IF EXISTS ifcb_pid(INT, VARCHAR);
DROP TABLE IF EXISTS ifcb_settings, ifcb_bins;
NOTIFY pgrst, 'reload schema';
