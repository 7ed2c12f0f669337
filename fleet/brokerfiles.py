"""What a broker has to be told: configuration, users and rules, as files for mosquitto and for EMQX.

Both let a user in under its own name only, keep passwords as hashes, and let each board use its own topics and nothing else. All passwords are 256
random bits (a board's is derived from its key), so a quick hash does.
"""

import hashlib
import os

from fleet import credentials

MOSQUITTO = """\
# Written by `{by}`; settings are in fleet.toml.
per_listener_settings false
listener {port} {listen}
socket_domain ipv4
allow_anonymous false
use_username_as_clientid true
password_file {folder}/passwords
acl_file {folder}/acl
persistence true
persistence_location {data}/
autosave_interval 30
max_queued_messages 100000
max_inflight_messages 1000
max_packet_size 1048576
set_tcp_nodelay true
{log}log_type error
log_type warning
"""
TLS = "certfile {tls_cert}\nkeyfile {tls_key}\n"

EMQX = """\
# Written by `fleet broker config`: include it in EMQX's etc/emqx.conf, or put it in its place. For EMQX 5.7.1 and later.
# EMQX reads users.csv when the authenticator is made, and never overwrites a user: of a board that was removed and added anew, delete
# the old user (Dashboard: Access Control, Authentication, Users), then start EMQX again.
mqtt {{
  use_username_as_clientid = true
  max_mqueue_len = 100000
  max_inflight = 1000
  max_packet_size = 1MB
}}
authentication = [
  {{
    mechanism = password_based
    backend = built_in_database
    user_id_type = username
    password_hash_algorithm {{name = sha256, salt_position = suffix}}
    bootstrap_file = "{folder}/users.csv"
    bootstrap_type = hash
  }}
]
authorization {{
  no_match = deny
  deny_action = ignore
  cache.enable = true
  sources = [
    {{type = file, enable = true, path = "{folder}/acl.conf"}}
  ]
}}
{listener}"""
EMQX_TCP = 'listeners.tcp.default {{bind = "{listen}:{port}", enable_authn = true}}\nlisteners.ssl.default.enable = false\n'
EMQX_TLS = """\
listeners.ssl.default {{
  bind = "{listen}:{port}"
  enable_authn = true
  ssl_options {{certfile = "{tls_cert}", keyfile = "{tls_key}", verify = verify_none}}
}}
listeners.tcp.default.enable = false
"""
EMQX_OFF = "listeners.ws.default.enable = false\nlisteners.wss.default.enable = false\n"
EMQX_ACL = f"""\
%% Written by `fleet broker config`.
{{allow, {{username, {{re, "^{credentials.SERVICE_USER}(-[2-8])?$"}}}}, all, ["f/1/#", "$share/+/f/1/#"]}}.
{{allow, all, all, ["f/1/${{username}}/#"]}}.
{{deny, all}}.
"""


def mosquitto(folder, settings, listen, user=None, data=None, by="fleet broker config"):
    """{file name: text} but for the passwords; `settings` is the [broker] table, `user` who mosquitto shall be when root starts it."""
    log = f"log_dest file {folder}/broker.log\n" if data else "log_dest syslog\n"
    text = MOSQUITTO.format(by=by, port=settings["port"], listen=listen, folder=folder, data=data or f"{folder}/data", log=log)
    text += f"user {user}\n" if user else ""
    text += TLS.format(**settings) if settings["tls_cert"] else ""
    return {"mosquitto.conf": text, "acl": credentials.ACL}


def emqx(folder, settings, listen):
    """{file name: text} but for the users."""
    listener = (EMQX_TLS if settings["tls_cert"] else EMQX_TCP).format(listen=listen, **{k: settings[k] for k in ("port", "tls_cert", "tls_key")})
    return {"emqx.conf": EMQX.format(folder=folder, listener=listener + EMQX_OFF), "acl.conf": EMQX_ACL}


def mosquitto_users(users):
    """The password file's text for [(user, password)]."""
    return "".join(credentials.password_line(*each) + "\n" for each in users)


def emqx_users(users):
    """The text of users.csv for [(user, password)]: SHA-256 over the password and a salt, in hex."""
    lines = ["user_id,password_hash,salt,is_superuser"]
    for user, password in users:
        salt = os.urandom(16).hex()
        lines.append(f"{user},{hashlib.sha256((password + salt).encode()).hexdigest()},{salt},false")
    return "\n".join(lines) + "\n"
