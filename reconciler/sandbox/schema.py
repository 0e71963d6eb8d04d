"""The tables in which a world is kept."""

from reconciler.sandbox.microsoft.tables import SCHEMA as MICROSOFT

# To be raised with every change below: a file of another version is refused, never guessed at.
VERSION = 3

_OVH = """
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE serial (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tenant (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, display_name TEXT NOT NULL, contact TEXT NOT NULL,
    created REAL NOT NULL, status TEXT NOT NULL DEFAULT 'ok', mca INTEGER NOT NULL DEFAULT 1,
    mpn_id TEXT, mpn_issue TEXT, domains TEXT NOT NULL DEFAULT '[]', directory TEXT) WITHOUT ROWID;
CREATE INDEX tenant_directory ON tenant (directory) WHERE directory IS NOT NULL;
CREATE TABLE seat (
    name TEXT PRIMARY KEY, tenant TEXT NOT NULL, number INTEGER NOT NULL, licence TEXT NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE, first TEXT NOT NULL, last TEXT NOT NULL, country TEXT NOT NULL,
    virtual INTEGER NOT NULL DEFAULT 1, status TEXT NOT NULL DEFAULT 'ok', task INTEGER NOT NULL DEFAULT 0,
    pending_email TEXT COLLATE NOCASE, readable_at REAL NOT NULL DEFAULT 0, order_id INTEGER) WITHOUT ROWID;
CREATE INDEX seat_tenant ON seat (tenant);
CREATE INDEX seat_email ON seat (email);
CREATE INDEX seat_pending ON seat (pending_email) WHERE pending_email IS NOT NULL;
CREATE TABLE user (
    tenant TEXT NOT NULL, email TEXT NOT NULL COLLATE NOCASE, first TEXT NOT NULL, last TEXT NOT NULL,
    country TEXT NOT NULL, licence TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'ok',
    task INTEGER NOT NULL DEFAULT 0, pending_email TEXT COLLATE NOCASE,
    ending INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (tenant, email)) WITHOUT ROWID;
CREATE INDEX user_email ON user (email);
CREATE INDEX user_pending ON user (pending_email) WHERE pending_email IS NOT NULL;
CREATE TABLE licence (
    tenant TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, maximum INTEGER,
    new_seats INTEGER NOT NULL, new_subscriptions INTEGER NOT NULL, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
CREATE TABLE subscription (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, licence INTEGER NOT NULL, quantity INTEGER NOT NULL,
    created REAL NOT NULL, updated REAL, status TEXT NOT NULL, task INTEGER NOT NULL DEFAULT 0, parent INTEGER,
    granted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX subscription_tenant ON subscription (tenant);
CREATE TABLE service (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, route TEXT NOT NULL, created REAL NOT NULL,
    expiration REAL NOT NULL, automatic INTEGER NOT NULL DEFAULT 1, forced INTEGER NOT NULL DEFAULT 0,
    manual_payment INTEGER, period INTEGER DEFAULT 1, ending INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'ok', token TEXT, display_name TEXT NOT NULL, plan TEXT NOT NULL DEFAULT '');
CREATE INDEX service_expiration ON service (expiration) WHERE state = 'ok';
CREATE TABLE task (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, function TEXT NOT NULL, todo REAL NOT NULL,
    start REAL NOT NULL, finish REAL NOT NULL, outcome TEXT NOT NULL, effect TEXT NOT NULL);
CREATE INDEX task_tenant ON task (tenant, finish);
CREATE TABLE due (id INTEGER PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX due_at ON due (at);
CREATE TABLE cart (
    id TEXT PRIMARY KEY, description TEXT NOT NULL, expire REAL NOT NULL, read_only INTEGER NOT NULL DEFAULT 0,
    subsidiary TEXT NOT NULL, owned INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX cart_description ON cart (description);
CREATE TABLE item (
    id INTEGER PRIMARY KEY, cart TEXT NOT NULL, parent INTEGER, product TEXT NOT NULL, plan TEXT NOT NULL,
    duration TEXT NOT NULL, mode TEXT NOT NULL, quantity INTEGER NOT NULL, service TEXT);
CREATE INDEX item_cart ON item (cart);
CREATE TABLE configuration (
    id INTEGER PRIMARY KEY, item INTEGER NOT NULL, label TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX configuration_item ON configuration (item);
CREATE TABLE purchase (
    id INTEGER PRIMARY KEY, date REAL NOT NULL, status TEXT NOT NULL, token TEXT NOT NULL, password TEXT NOT NULL,
    retraction REAL, paid REAL, waits TEXT, slow REAL NOT NULL DEFAULT 0, unreadable REAL NOT NULL DEFAULT 0);
CREATE INDEX purchase_date ON purchase (date);
CREATE TABLE line (
    id INTEGER PRIMARY KEY, purchase INTEGER NOT NULL, product TEXT NOT NULL, plan TEXT NOT NULL,
    duration TEXT NOT NULL, mode TEXT NOT NULL, quantity INTEGER NOT NULL, service TEXT, domain TEXT NOT NULL,
    configurations TEXT NOT NULL, unit INTEGER NOT NULL, part INTEGER NOT NULL DEFAULT 0);
CREATE INDEX line_purchase ON line (purchase);
CREATE TABLE history (
    id INTEGER PRIMARY KEY, purchase INTEGER NOT NULL, at REAL NOT NULL, label TEXT NOT NULL);
CREATE INDEX history_purchase ON history (purchase);
CREATE TABLE payment_method (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, is_default INTEGER NOT NULL, created REAL NOT NULL);
CREATE TABLE mail (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE usage (
    tenant TEXT NOT NULL, day TEXT NOT NULL, licence TEXT NOT NULL, peak INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, licence)) WITHOUT ROWID;
CREATE TABLE credential (
    id INTEGER PRIMARY KEY, application_key TEXT NOT NULL, application_secret TEXT NOT NULL,
    consumer_key TEXT UNIQUE, rules TEXT NOT NULL, status TEXT NOT NULL, created REAL NOT NULL,
    expiration REAL, used REAL);
CREATE INDEX credential_application ON credential (application_key);
CREATE TABLE client (id TEXT PRIMARY KEY, secret TEXT NOT NULL, rules TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE token (token TEXT PRIMARY KEY, client TEXT NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE directory (
    name TEXT PRIMARY KEY, office_tenant TEXT, state TEXT NOT NULL DEFAULT 'ok') WITHOUT ROWID;
CREATE TABLE fault (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, times INTEGER NOT NULL,
    skip INTEGER NOT NULL, probability REAL NOT NULL, seed INTEGER NOT NULL, options TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0, fired INTEGER NOT NULL DEFAULT 0);
CREATE TABLE snapshot (path TEXT PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ledger (id INTEGER PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE request (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL,
    caller TEXT NOT NULL);
CREATE INDEX request_caller ON request (caller, at);
"""

SCHEMA = _OVH.rstrip() + MICROSOFT

TABLES = tuple(line.split()[2] for line in SCHEMA.splitlines() if line.startswith("CREATE TABLE"))
