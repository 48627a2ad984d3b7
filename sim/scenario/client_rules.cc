#include "scenario/client_rules.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "scenario/property_values.h"

namespace sim::scenario {

namespace {

// CommonClientConfigs.postProcessReconnectBackoffConfigs
void reconnect_backoff(Value& map) {
  if (map.find("reconnect.backoff.max.ms") != nullptr) return;
  if (const Value* given = map.find("reconnect.backoff.ms"))
    map.set("reconnect.backoff.max.ms", scalar(given->text));
}

// CommonClientConfigs.warnDisablingExponentialBackoff
void retry_backoff(const Value& map, Components client, Report& report) {
  const std::int64_t first = property_number(map, "retry.backoff.ms", client);
  const std::int64_t most = property_number(map, "retry.backoff.max.ms", client);
  if (first <= most) return;
  report.warning(property_place(map, map.find("retry.backoff.ms") != nullptr ? "retry.backoff.ms"
                                                                             : "retry.backoff.max.ms"),
                 "retry.backoff.ms (" + std::to_string(first) + ") is above retry.backoff.max.ms (" +
                     std::to_string(most) + "): Kafka warns of it and always waits " + std::to_string(most) +
                     " ms");
}

void message_timeout(const Value& map, Report& report) {
  const std::int64_t linger = property_number(map, "linger.ms", kProducer);
  const std::int64_t timeout = property_number(map, "delivery.timeout.ms", kProducer);
  if (timeout > linger) return;
  report.error(property_place(map, "delivery.timeout.ms"), "message.timeout.ms (" + std::to_string(timeout) +
                                                               ") must be above linger.ms (" +
                                                               std::to_string(linger) + ")");
}

void delivery_timeout(Value& map, Report& report) {
  const std::int64_t linger = property_number(map, "linger.ms", kProducer);
  const std::int64_t request_timeout = property_number(map, "request.timeout.ms", kProducer);
  const std::int64_t least =
      std::min<std::int64_t>(linger + request_timeout, std::numeric_limits<std::int32_t>::max());
  const std::int64_t delivery_timeout = property_number(map, "delivery.timeout.ms", kProducer);
  if (delivery_timeout >= least) return;
  if (map.find("delivery.timeout.ms") == nullptr) {
    map.set("delivery.timeout.ms", scalar(std::to_string(least)));
    return;
  }
  report.error(property_place(map, "delivery.timeout.ms"),
               "delivery.timeout.ms (" + std::to_string(delivery_timeout) +
                   ") must be at least linger.ms + request.timeout.ms (" + std::to_string(least) + ")");
}

void idempotence(Value& map, Report& report) {
  if (property_text(map, "enable.idempotence", kProducer) != "true") return;
  const bool asked_for = map.find("enable.idempotence") != nullptr;
  bool give_up = false;
  const auto conflict = [&](const char* name, const std::string& wanted) {
    if (asked_for) {
      report.error(property_place(map, name), std::string("enable.idempotence needs ") + name + " " + wanted +
                                                  ", not " +
                                                  std::string(property_text(map, name, kProducer)));
    }
    give_up = true;
  };
  if (property_number(map, "retries", kProducer) == 0) conflict("retries", "above 0");
  if (property_text(map, "acks", kProducer) != "all") conflict("acks", "all");
  if (property_number(map, "max.in.flight.requests.per.connection", kProducer) >
      5) {  // an error since Kafka 4.0, asked for or not
    report.error(property_place(map, "max.in.flight.requests.per.connection"),
                 "the idempotent producer, which is the default, needs max.in.flight.requests.per.connection "
                 "of at most 5",
                 "or set enable.idempotence to false");
  }
  if (give_up && !asked_for) map.set("enable.idempotence", scalar("false"));
}

constexpr const char* kClassicOnly[] = {"partition.assignment.strategy", "heartbeat.interval.ms",
                                        "session.timeout.ms"};

// ConsumerConfig.checkUnsupportedConfigsPostProcess: what only the other group protocol has is refused.
void settings_of_other_protocol(const Value& map, Report& report) {
  const bool is_consumer = property_text(map, "group.protocol", kConsumer) == "consumer";
  const auto refuse = [&](const char* name) {
    if (map.find(name) == nullptr) return;
    report.error(property_place(map, name), std::string(name) + " cannot be set when group.protocol=" +
                                                (is_consumer ? "CONSUMER" : "CLASSIC"));
  };
  if (is_consumer) {
    for (const char* name : kClassicOnly) refuse(name);
    refuse("share.acknowledgement.mode");
  } else {
    for (const char* name : {"group.remote.assignor", "share.acknowledgement.mode"}) refuse(name);
  }
}

}  // namespace

void complete_producer_properties(Value& properties, bool is_librdkafka, Report& report) {
  reconnect_backoff(properties);
  retry_backoff(properties, kProducer, report);
  if (is_librdkafka) {
    message_timeout(properties, report);
  } else {
    delivery_timeout(properties, report);
  }
  idempotence(properties, report);
  fill_in_defaults(properties, kProducer);
}

void complete_consumer_properties(Value& properties, Report& report) {
  reconnect_backoff(properties);
  retry_backoff(properties, kConsumer, report);
  settings_of_other_protocol(properties, report);
  const std::int64_t heartbeat = property_number(properties, "heartbeat.interval.ms", kConsumer);
  const std::int64_t session = property_number(properties, "session.timeout.ms", kConsumer);
  if (heartbeat >= session) {
    const char* given =
        properties.find("heartbeat.interval.ms") != nullptr ? "heartbeat.interval.ms" : "session.timeout.ms";
    report.error(property_place(properties, given), "heartbeat.interval.ms (" + std::to_string(heartbeat) +
                                                        ") must be below session.timeout.ms (" +
                                                        std::to_string(session) + ")");
  }
  const std::int64_t wait = property_number(properties, "fetch.max.wait.ms", kConsumer);
  const std::int64_t request_timeout = property_number(properties, "request.timeout.ms", kConsumer);
  if (wait >= request_timeout) {
    const char* given =
        properties.find("fetch.max.wait.ms") != nullptr ? "fetch.max.wait.ms" : "request.timeout.ms";
    report.warning(property_place(properties, given),
                   "fetch.max.wait.ms (" + std::to_string(wait) + ") is not below request.timeout.ms (" +
                       std::to_string(request_timeout) +
                       "): a fetch that finds nothing new times out, and its connection is closed");
  }
  fill_in_defaults(properties, kConsumer);
  if (property_text(properties, "group.protocol", kConsumer) != "consumer") return;
  for (const char* name : kClassicOnly) remove_property(properties, name);
}

}  // namespace sim::scenario
