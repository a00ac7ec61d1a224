"""The tables and functions of a PostgreSQL store, and how one of an older Takt becomes one of this.

A unit is appended by one call of a function of the server's (`append`), which is one transaction: it looks whether the
caller still holds the lease, by its number, under a lock on the shift's row, and only then writes. So whoever lost the
lease, however late he wakes, writes nothing. Time is the server's alone; no clock of a worker's is asked.
"""

from __future__ import annotations

from typing import Any

from takt.errors import TaktError
from takt.ledger.intact import LONGEST_VALUE

LOST, BEHIND = "TK001", "TK002"  # SQLSTATE: the lease is another's; there are not as many events as there should be
LOCK = 0x54414B54  # advisory, "TAKT": one migrates at a time

MIGRATIONS = (
    f"""
CREATE SCHEMA takt;
CREATE TABLE takt.version (version integer NOT NULL);
INSERT INTO takt.version VALUES (0);
CREATE TABLE takt.shifts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text UNIQUE NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  made timestamptz NOT NULL DEFAULT clock_timestamp(),
  events bigint NOT NULL DEFAULT 0, units bigint NOT NULL DEFAULT 0, good bigint NOT NULL DEFAULT 0,
  ended boolean NOT NULL DEFAULT false,
  token bigint NOT NULL DEFAULT 0, holder text, until timestamptz,
  attempt integer NOT NULL DEFAULT 0, now_s float8, at timestamptz
);
CREATE TABLE takt.meta (
  shift bigint REFERENCES takt.shifts ON DELETE CASCADE, key text, pos bigint GENERATED ALWAYS AS IDENTITY,
  value text NOT NULL CHECK (octet_length(value) <= {LONGEST_VALUE}), PRIMARY KEY (shift, key)
);
CREATE TABLE takt.events (
  shift bigint REFERENCES takt.shifts ON DELETE CASCADE, seq bigint, t_s float8 NOT NULL, kind text NOT NULL,
  unit bigint, data text NOT NULL CHECK (octet_length(data) <= {LONGEST_VALUE}), PRIMARY KEY (shift, seq)
);
CREATE TABLE takt.snapshots (
  shift bigint REFERENCES takt.shifts ON DELETE CASCADE, seq bigint, unit bigint NOT NULL, t_s float8 NOT NULL,
  state bytea NOT NULL CHECK (octet_length(state) <= {LONGEST_VALUE}), PRIMARY KEY (shift, seq)
);
CREATE TABLE takt.blobs (
  shift bigint REFERENCES takt.shifts ON DELETE CASCADE, name bytea, base bytea, size bigint NOT NULL,
  data bytea NOT NULL CHECK (octet_length(data) <= {LONGEST_VALUE}), PRIMARY KEY (shift, name)
);
CREATE TABLE takt.running (
  shift bigint REFERENCES takt.shifts ON DELETE CASCADE, seq bigint, t_s float8 NOT NULL, kind text NOT NULL,
  unit bigint, data text NOT NULL CHECK (octet_length(data) <= {LONGEST_VALUE}), PRIMARY KEY (shift, seq)
);
CREATE TABLE takt.journal (
  shift bigint REFERENCES takt.shifts ON DELETE CASCADE, number bigint,
  record text NOT NULL CHECK (octet_length(record) <= {LONGEST_VALUE}), PRIMARY KEY (shift, number)
);
ALTER TABLE takt.snapshots ALTER state SET STORAGE EXTERNAL;
ALTER TABLE takt.blobs ALTER data SET STORAGE EXTERNAL;

CREATE FUNCTION takt.hold(_shift bigint, _token bigint, _lease float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE takt.shifts SET until = clock_timestamp() + make_interval(secs => _lease)
    WHERE id = _shift AND token = _token;
  IF NOT FOUND THEN RAISE EXCEPTION 'the lease is lost' USING ERRCODE = '{LOST}'; END IF;
END $$;

CREATE FUNCTION takt.append(
  _shift bigint, _token bigint, _lease float8, _seq bigint,
  _t_s float8[], _kind text[], _unit bigint[], _data text[], _key text[], _value text[],
  _of_unit bigint, _at_s float8, _state bytea, _name bytea, _base bytea, _size bigint, _blob bytea,
  OUT new boolean, OUT written bigint, OUT flushed bigint
) LANGUAGE plpgsql AS $$
DECLARE
  many bigint := coalesce(array_length(_t_s, 1), 0);
  before bigint;
  rows bigint := 0;
BEGIN
  written := pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0');
  flushed := pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0');
  UPDATE takt.shifts SET until = clock_timestamp() + make_interval(secs => _lease), events = events + many,
      units = units + cardinality(array_positions(_kind, 'unit_good'))
        + cardinality(array_positions(_kind, 'unit_bad')),
      good = good + cardinality(array_positions(_kind, 'unit_good')),
      ended = CASE WHEN many > 0 THEN _kind[many] = 'shift_ended' ELSE ended END
    WHERE id = _shift AND token = _token RETURNING events - many INTO before;
  IF NOT FOUND THEN RAISE EXCEPTION 'the lease is lost' USING ERRCODE = '{LOST}'; END IF;
  IF before <> _seq THEN RAISE EXCEPTION '%', before USING ERRCODE = '{BEHIND}'; END IF;
  INSERT INTO takt.events SELECT _shift, _seq + i - 1, t, k, u, d
    FROM unnest(_t_s, _kind, _unit, _data) WITH ORDINALITY AS e (t, k, u, d, i);
  INSERT INTO takt.meta (shift, key, value) SELECT _shift, k, v FROM unnest(_key, _value) AS m (k, v)
    ON CONFLICT (shift, key) DO UPDATE SET value = excluded.value;
  IF _name IS NOT NULL THEN
    INSERT INTO takt.blobs VALUES (_shift, _name, _base, _size, _blob) ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS rows = ROW_COUNT;
  END IF;
  IF _state IS NOT NULL THEN
    INSERT INTO takt.snapshots VALUES (_shift, _seq + many, _of_unit, _at_s, _state);
  END IF;
  DELETE FROM takt.running WHERE shift = _shift;
  DELETE FROM takt.journal WHERE shift = _shift;
  new := rows > 0;
END $$;

CREATE FUNCTION takt.show(
  _shift bigint, _token bigint, _lease float8, _seq bigint,
  _t_s float8[], _kind text[], _unit bigint[], _data text[], _now_s float8
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE takt.shifts SET until = clock_timestamp() + make_interval(secs => _lease), now_s = _now_s,
    at = clock_timestamp() WHERE id = _shift AND token = _token;
  IF NOT FOUND THEN RAISE EXCEPTION 'the lease is lost' USING ERRCODE = '{LOST}'; END IF;
  INSERT INTO takt.running SELECT _shift, _seq + i - 1, t, k, u, d
    FROM unnest(_t_s, _kind, _unit, _data) WITH ORDINALITY AS e (t, k, u, d, i);
END $$;
""",
    f"""
CREATE TABLE takt.fleets (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text UNIQUE NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  plan text NOT NULL DEFAULT '' CHECK (octet_length(plan) <= {LONGEST_VALUE}),
  said text NOT NULL DEFAULT '{{}}' CHECK (octet_length(said) <= {LONGEST_VALUE}),
  stop boolean NOT NULL DEFAULT false, token bigint NOT NULL DEFAULT 0, holder text, until timestamptz
);
CREATE TABLE takt.records (
  fleet bigint REFERENCES takt.fleets ON DELETE CASCADE, id text, arm text NOT NULL,
  record text NOT NULL CHECK (octet_length(record) <= {LONGEST_VALUE}), PRIMARY KEY (fleet, id)
);
CREATE TABLE takt.faults (
  fleet bigint REFERENCES takt.fleets ON DELETE CASCADE, token bigint, shift text, attempt integer,
  number bigint GENERATED ALWAYS AS IDENTITY,
  fault text NOT NULL CHECK (octet_length(fault) <= {LONGEST_VALUE}), PRIMARY KEY (fleet, token, shift, attempt)
);
""",
    f"""
ALTER TABLE takt.fleets ADD made text NOT NULL DEFAULT '' CHECK (octet_length(made) <= {LONGEST_VALUE});
""",
)


def version_of(connection: Any) -> int:
    """The schema's version; 0 if there is none."""
    # Not by to_regclass: what that knows may be from before another one's migration, which was waited for.
    there = "SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'takt' AND tablename = 'version'"
    if not connection.execute(f"SELECT exists({there})").fetchone()[0]:
        return 0
    (version,) = connection.execute("SELECT version FROM takt.version").fetchone()
    return int(version)


def check_version(connection: Any, place: object) -> bool:
    """Whether there is a schema: this Takt's, or an older one's, whose shifts are read as they are.

    Raises TaktError if it is a newer one's."""
    version = version_of(connection)
    if version > len(MIGRATIONS):
        raise TaktError(
            f"{place} has a store of version {version}, this Takt knows {len(MIGRATIONS)}; install a newer Takt"
        )
    return version > 0


def migrate(connection: Any, place: object) -> None:
    """Make the schema, or bring it up to this Takt's; of many at once, one does it."""
    if check_version(connection, place) and version_of(connection) == len(MIGRATIONS):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        for number, sql in enumerate(MIGRATIONS[version_of(connection) :], version_of(connection) + 1):
            connection.execute(sql)
            connection.execute("UPDATE takt.version SET version = %s", (number,))
