# make run     start the demo: web, worker, a short day of five families; ONCE=1 ends after it
# make test    the suite on SQLite, on PostgreSQL and in a browser
# make lint    style, types, layers, migrations, messages
# make shots   contact sheets of every portal under shots/
# make bench-rush  1,000 lawyers for 60 places: the verb, raw SQL, check-then-insert
# make lock    renew the locked requirements

SHELL := /bin/sh
HOST ?= 127.0.0.1
export HOST PORT ONCE RELATIVES DATABASE_URL
# Set on some machines; every start would compile every module again.
unexport PYTHONDONTWRITEBYTECODE
bin := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test lint format shots lock bench-rush

help:
	@sed -n 's/^# //p' Makefile

run:
	@tools/bootstrap.sh run
	@exec $(bin)/python tools/run.py

test:
	@tools/bootstrap.sh dev
	@exec $(bin)/python tools/test.py $(ONLY)

lint:
	@tools/bootstrap.sh dev
	@exec $(bin)/python tools/lint.py

format:
	@tools/bootstrap.sh dev
	$(bin)/ruff check --fix-only .
	$(bin)/ruff format .

shots:
	@tools/bootstrap.sh dev
	@exec $(bin)/python tools/shots.py $(PORTAL)

bench-rush:
	@tools/bootstrap.sh dev
	@exec $(bin)/python -m tools.bench_rush

lock:
	@tools/bootstrap.sh dev
	@exec tools/lock.sh
