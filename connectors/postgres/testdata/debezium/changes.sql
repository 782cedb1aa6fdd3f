-- What happens while the connector follows, a statement a transaction.
INSERT INTO sea.buoys VALUES (4, 'west', 99.99, 'new');
UPDATE sea.buoys SET name = 'North', notes = 'moved' WHERE id = 1;
DELETE FROM sea.buoys WHERE id = 2;
UPDATE sea.buoys SET id = 30 WHERE id = 3;
INSERT INTO sea.buoys VALUES (2, 'south again', NULL, NULL);
INSERT INTO sea.casts VALUES ('b', 1, '2021-01-01');
TRUNCATE sea.casts;
INSERT INTO sea.casts VALUES ('a', 1, '2022-01-01'), ('c', 7, '2022-01-02 00:00:00.1');
UPDATE sea.casts SET cast_no = 8 WHERE site = 'c';
UPDATE sea.kinds SET i4 = 80 WHERE id IN (1, 3, 4, 5, 6, 7, 8);
ALTER TABLE sea.buoys ADD COLUMN colour text DEFAULT 'red';
UPDATE sea.buoys SET colour = 'blue' WHERE id = 30;
INSERT INTO sea.buoys VALUES (99, 'last', 0, NULL, NULL);
