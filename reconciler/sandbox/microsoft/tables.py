"""The tables in which the Microsoft side of a world is kept."""

SCHEMA = """
CREATE TABLE ms_key (
    client TEXT PRIMARY KEY, secret TEXT NOT NULL, tenant TEXT NOT NULL, refresh TEXT UNIQUE,
    used REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE ms_token (
    token TEXT PRIMARY KEY, client TEXT NOT NULL, tenant TEXT NOT NULL, kind TEXT NOT NULL,
    audience TEXT NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE ms_tenant (
    id TEXT PRIMARY KEY, domain TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, country TEXT NOT NULL,
    created REAL NOT NULL, consent INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID;
CREATE TABLE ms_customer (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, relationship TEXT NOT NULL, validation TEXT NOT NULL,
    validated REAL NOT NULL, signed INTEGER NOT NULL DEFAULT 0, agreement TEXT, profile TEXT NOT NULL,
    billing TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1);
CREATE TABLE ms_cart (
    id TEXT PRIMARY KEY, customer TEXT NOT NULL, created REAL NOT NULL, changed REAL NOT NULL,
    expires REAL NOT NULL, status TEXT NOT NULL, lines TEXT NOT NULL, ordered TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ms_order (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, customer TEXT NOT NULL, cart TEXT NOT NULL,
    created REAL NOT NULL, listed REAL NOT NULL, status TEXT NOT NULL, lines TEXT NOT NULL,
    plan TEXT NOT NULL DEFAULT '{}');
CREATE INDEX ms_order_customer ON ms_order (customer);
CREATE TABLE ms_subscription (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, customer TEXT NOT NULL, order_id TEXT NOT NULL,
    line INTEGER NOT NULL, item TEXT NOT NULL, offer TEXT NOT NULL, sku TEXT NOT NULL, name TEXT NOT NULL,
    friendly TEXT NOT NULL, quantity INTEGER NOT NULL, granted INTEGER NOT NULL DEFAULT 0,
    provisioning TEXT NOT NULL DEFAULT 'pending', status TEXT NOT NULL, term TEXT NOT NULL,
    billing TEXT NOT NULL, renew INTEGER NOT NULL, trial INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL,
    started REAL NOT NULL, ends REAL NOT NULL, closes REAL NOT NULL, changed REAL NOT NULL, scheduled TEXT,
    updates INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1, step INTEGER NOT NULL DEFAULT 0,
    renewing INTEGER NOT NULL DEFAULT 0, hidden REAL NOT NULL DEFAULT 0);
CREATE INDEX ms_subscription_customer ON ms_subscription (customer);
CREATE INDEX ms_subscription_order ON ms_subscription (order_id);
CREATE TABLE ms_tranche (
    id INTEGER PRIMARY KEY, subscription TEXT NOT NULL, quantity INTEGER NOT NULL, until REAL NOT NULL);
CREATE INDEX ms_tranche_subscription ON ms_tranche (subscription);
CREATE TABLE ms_grant (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, sku TEXT NOT NULL, units INTEGER NOT NULL,
    status TEXT NOT NULL, created REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX ms_grant_tenant ON ms_grant (tenant);
CREATE TABLE ms_user (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, upn TEXT NOT NULL COLLATE NOCASE,
    location TEXT, located REAL NOT NULL DEFAULT 0, created REAL NOT NULL, deleted REAL, data TEXT NOT NULL);
CREATE INDEX ms_user_tenant ON ms_user (tenant, seq);
CREATE INDEX ms_user_upn ON ms_user (tenant, upn);
CREATE TABLE ms_group (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL);
CREATE INDEX ms_group_tenant ON ms_group (tenant, seq);
CREATE TABLE ms_licence (
    user TEXT NOT NULL, sku TEXT NOT NULL, via TEXT NOT NULL DEFAULT '', tenant TEXT NOT NULL,
    disabled TEXT NOT NULL DEFAULT '[]', at REAL NOT NULL, PRIMARY KEY (user, sku, via)) WITHOUT ROWID;
CREATE INDEX ms_licence_sku ON ms_licence (tenant, sku);
CREATE TABLE ms_domain (
    tenant TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, verified INTEGER NOT NULL,
    standard INTEGER NOT NULL DEFAULT 0, initial INTEGER NOT NULL DEFAULT 0, code TEXT NOT NULL,
    PRIMARY KEY (tenant, name)) WITHOUT ROWID;
CREATE TABLE ms_record (
    name TEXT NOT NULL COLLATE NOCASE, kind TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (name, kind, value)) WITHOUT ROWID;
CREATE TABLE ms_relation (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, data TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1, created REAL NOT NULL, changed REAL NOT NULL, activated REAL, ends REAL);
CREATE TABLE ms_relation_part (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, relation TEXT NOT NULL,
    status TEXT NOT NULL, data TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, created REAL NOT NULL,
    changed REAL NOT NULL);
CREATE INDEX ms_relation_part_relation ON ms_relation_part (relation, kind);
CREATE TABLE ms_reply (
    id TEXT PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL, status INTEGER NOT NULL, content TEXT NOT NULL,
    headers TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ms_spent (caller TEXT NOT NULL, at REAL NOT NULL, units INTEGER NOT NULL);
CREATE INDEX ms_spent_caller ON ms_spent (caller, at);
"""
