"""The fleet's connection to the MQTT broker, as a queue of events: the only place that knows the MQTT library."""

import queue
import ssl

import paho.mqtt.client as mqtt

KEEPALIVE_S = 20
RECONNECT_MIN_S = 1
RECONNECT_MAX_S = 5
QUEUE_LIMIT = 100_000

SHARE = "fleet"

UP = "up"
DOWN = "down"
MESSAGE = "message"


class Bus:
    """Connects by itself, again and again, and puts ("up",), ("down", why) and ("message", topic, payload, retained) into `events`.

    `subscriptions` is [(topic filter, qos)], subscribed anew at each connection (clean sessions: nothing to lose on the broker). With
    `retained`, those filters are subscribed besides at each connection and by `catch_up`, until `settle`: shared subscriptions (`share`)
    do not get what the broker retains. `will` is (topic, payload), retained, which the broker publishes should this connection break.
    """

    def __init__(self, host, port, user, password, subscriptions=(), tls_ca=None, will=None, retained=()):
        self.events = queue.Queue(QUEUE_LIMIT)
        self.dropped = 0
        self._address = (host, port)
        self._subscriptions = list(subscriptions)
        self._retained = list(retained)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=user, clean_session=True)
        self._client.username_pw_set(user, password)
        if tls_ca:
            self._client.tls_set_context(ssl.create_default_context(cafile=tls_ca))
        if will:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        self._client.max_inflight_messages_set(1000)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._received

    def start(self):
        """Start connecting, in a thread of its own."""
        self._client.connect_async(*self._address, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self):
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic, payload, qos=0, retain=False):
        """Send a message; QoS 1 messages wait for the connection, QoS 0 are lost without it."""
        if qos or self._client.is_connected():
            self._client.publish(topic, payload, qos, retain)

    def catch_up(self):
        """Have what the broker retains sent again."""
        if self._retained:
            self._client.subscribe(self._retained)

    def settle(self):
        """What was retained has come: be content with the shared subscriptions."""
        if self._retained:
            self._client.unsubscribe([topic_filter for topic_filter, _ in self._retained])

    def _put(self, event):
        try:
            self.events.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def _connected(self, client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            self._put((DOWN, str(reason)))
            return
        if self._subscriptions:
            client.subscribe([*self._subscriptions, *self._retained])
        self._put((UP,))

    def _disconnected(self, _client, _userdata, _flags, reason, _properties):
        self._put((DOWN, str(reason)))

    def _received(self, _client, _userdata, message):
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._put((MESSAGE, topic, message.payload, message.retain))


def share(subscriptions):
    """The same subscriptions shared among all services: each message goes to one of them (MQTT 5's form, which brokers offer to 3.1.1 too)."""
    return [(f"$share/{SHARE}/{topic_filter}", qos) for topic_filter, qos in subscriptions]
