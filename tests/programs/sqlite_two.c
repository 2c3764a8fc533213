// SPDX-License-Identifier: BSD-2-Clause
/* Two connections to one database, with caches of their own size; tells the statistics that the
 * library keeps for each. */
#include <sqlite3.h>

#include "truth.h"

enum { ROWS = 20000 };

static void run(sqlite3 *database, const char *sql)
{
	if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK)
		exit(1);
}

static sqlite3 *open_with(const char *path, int pages)
{
	sqlite3 *database;
	char sql[64];

	if (sqlite3_open(path, &database) != SQLITE_OK)
		exit(1);
	snprintf(sql, sizeof(sql), "pragma journal_mode=wal; pragma cache_size=%d", pages);
	run(database, sql);
	return database;
}

static void fill(sqlite3 *database)
{
	char sql[160];
	int i;

	run(database,
	    "create table t(id integer primary key, v text); create index i on t(v); begin");
	for (i = 0; i < ROWS; i++) {
		snprintf(sql, sizeof(sql), "insert into t values(%d, '%064d')", i,
			 i * 7919 % 100000);
		run(database, sql);
	}
	run(database, "commit");
}

static int status(sqlite3 *database, int which)
{
	int now = 0, highest = 0;

	if (sqlite3_db_status(database, which, &now, &highest, 0) != SQLITE_OK)
		exit(1);
	return now;
}

static void query(sqlite3 *const *databases)
{
	uint64_t state = 5;
	char sql[160];
	int i;

	for (i = 0; i < ROWS; i++) {
		snprintf(sql, sizeof(sql), "select v from t where id=%d",
			 (int)(truth_random(&state) % ROWS));
		run(databases[i % 3 == 0], sql);
	}
	for (i = 0; i < 200; i++) {
		snprintf(sql, sizeof(sql), "update t set v='%d' where id=%d", i,
			 (int)(truth_random(&state) % ROWS));
		run(databases[0], sql);
	}
}

int main(int argc, char **argv)
{
	sqlite3 *databases[2];
	int before[2][2], i;

	if (argc != 2)
		return 2;
	databases[0] = open_with(argv[1], 100);
	fill(databases[0]);
	databases[1] = open_with(argv[1], 50);
	for (i = 0; i < 2; i++) {
		before[i][0] = status(databases[i], SQLITE_DBSTATUS_CACHE_HIT);
		before[i][1] = status(databases[i], SQLITE_DBSTATUS_CACHE_MISS);
	}
	printf("ready\n");
	fflush(stdout);
	truth_await_line();
	query(databases);
	printf("{\"connections\":[");
	for (i = 0; i < 2; i++)
		printf("%s{\"hits\":%d,\"misses\":%d}", i ? "," : "",
		       status(databases[i], SQLITE_DBSTATUS_CACHE_HIT) - before[i][0],
		       status(databases[i], SQLITE_DBSTATUS_CACHE_MISS) - before[i][1]);
	printf("]}\n");
	fflush(stdout);
	truth_await_line();
	return 0;
}
