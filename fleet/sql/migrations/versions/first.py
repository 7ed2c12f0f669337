"""The tables of version 0.1.0."""

from fleet.sql.migrations.tables import create, refers

revision = "0001"
down_revision = None


def upgrade():
    """Make them."""
    create("auditevent", "id", "id:id actor:text action:text* subject:text detail:text count:int created:real")
    create("blob", "digest", "digest:text kind:text size:int data:bytes created:real")
    create(
        "component",
        "device slot",
        "device:text slot:int state:text reason:text? digest:text? name:text? version:text? progress:int? detail:text?",
    )
    create(
        "deployment",
        "device seq",
        "device:text seq:long rollout:int* module:text document:text document_size:int key_list:int window_s:int nonce:bytes created:real",
    )
    create("device", "id", "id:text home_group:text* sealed_key:bytes capabilities:json state:text seen:real? created:real")
    create("groups", "name", "name:text created:real")
    create("key", "kid", "kid:text name:text public:bytes scopes:json revoked:bool created:real")
    create("keylist", "version", "version:int digest:text size:int created:real")
    create("logline", "id", "id:id device:text* counter:long uptime_ms:long level:long text:text received:real")
    create("module", "digest", "digest:text size:int name:text* version:text payload:text payload_size:int kid:text capabilities:json created:real")
    create("reading", "id", "id:id device:text* name:text counter:long uptime_ms:long value_int:long scale:int received:real")
    create(
        "report",
        "device",
        "device:text seq:long boot_id:text counter:long boots:long free_heap:long? min_free_heap:long? rssi:int? abi:int? "
        "nonce:text? floor:long? key_list:long? port:text? firmware:text? agent:text? received:real",
    )
    create("rollout", "id", "id:int module:text group:text state:text* window_s:int timeout_s:int actor:text created:real ended:real?")
    create("service", "id", "id:text broker:text pid:int started:real beat:real")
    create("setting", "name", "name:text value:text")
    create("membership", "group device", "group:text device:text*", refers("device", "device.id", ondelete="CASCADE"), refers("group", "groups.name"))
    create(
        "target",
        "rollout device",
        "rollout:int device:text* wave:int seq:long? state:text reason:text? detail:text? progress:int? sent:real? updated:real",
        refers("rollout", "rollout.id"),
    )
