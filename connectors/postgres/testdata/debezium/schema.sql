-- The tables whose changes .ci/record-debezium.sh records, and into which the sink
-- writes them again.
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE SCHEMA sea;
CREATE TYPE sea.mood AS ENUM ('calm', 'choppy', 'it''s rough');
CREATE TABLE sea.buoys (id int PRIMARY KEY, name text NOT NULL, depth numeric(8,2), notes text);
CREATE TABLE sea.casts (site text, cast_no int, at timestamp NOT NULL, PRIMARY KEY (site, cast_no));
CREATE TABLE sea.kinds (
  id int PRIMARY KEY,
  yes boolean, i2 smallint, i4 int, i8 bigint, r real, d double precision, n numeric(20,5), nv numeric, cash money,
  txt text, vc varchar(7), c char(5), ci citext, by bytea, bit1 bit(1), bit9 bit(9), vb bit varying(12), vbx bit varying,
  da date, ti time, ti3 time(3), tiz timetz, ts timestamp, ts3 timestamp(3), tsz timestamptz, hours interval,
  u uuid, j json, jb jsonb, x xml, mood sea.mood, ip inet, net cidr, mac macaddr,
  i4r int4range, i8r int8range, nr numrange, tsr tsrange, tszr tstzrange, dr daterange,
  pt point, hs hstore, lt ltree, o oid,
  ia int[], ba bigint[], ta text[], na numeric(6,2)[], tsa timestamp[], tsza timestamptz[], daa date[], ua uuid[], ma sea.mood[]);
CREATE TABLE sea.spans (id int PRIMARY KEY, span interval, hs hstore);
-- Long values are kept apart, and are not in the events of updates that leave them.
ALTER TABLE sea.kinds ALTER txt SET STORAGE EXTERNAL, ALTER by SET STORAGE EXTERNAL;
