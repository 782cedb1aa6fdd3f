-- The table that needs PostGIS.
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE TABLE sea.places (id int PRIMARY KEY, spot geometry(Point, 4326), area geometry, world geography(Point, 4326), deep geometry(PointZ, 4326));
