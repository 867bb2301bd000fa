"""Where everything is kept: SQLite for a trial, PostgreSQL for a bank, one set of repositories over both.

What `bootstrap` builds:

    keys = load_keys(path)                                        # store.keyring: Keys, a ports.Keyring
    migrate.upgrade(url)                                          # store.migrate: sync; sqlite:///PATH, postgresql://...
    store = await open_sqlite(path, keys, clock)                  # store.sqlite: SqlStore, a ports.Store
    store = await open_postgres(dsn, keys, clock, pool_size=10)   # store.postgres: the same
    await store.check_durability()                                # done at open; hourly by store.durability
    await store.close()

    dispatcher = Dispatcher(store, deliver)                       # store.outbox: run() until stop(); deliver(Message)
    sealer = Sealer(store, anchor=path_or_none)                   # store.audit: run() until stop(), or one seal()
    findings = await verify(store, anchor=path_or_none)           # store.audit_check: [] when nothing was tampered with
    janitor = Janitor(store)                                      # store.janitor: run() until stop(), or one sweep()

    hasher = Argon2Hasher(keys)                                   # gateways.hashing: a ports.Hasher; close()
    core_bank = EmbeddedCoreBank(store, keys, hasher)             # gateways.core_bank.embedded: a ports.CoreBank
    counts = await import_customers(core_bank, lines, report)     # gateways.core_bank.csv_import

`open_*` raise WeakDurability, PlainTextLink or WrongSchema (store.errors), each saying what to do.
"""
