#pragma once

#include "scenario/tree.h"

// Defaults, silent adjustments and cross-checks of Kafka's client properties.
namespace sim::scenario {

// delivery.timeout.ms raised to linger.ms + request.timeout.ms, idempotence given up for acks or retries that
// do not allow it: silently where only a default is touched, as an error where the user said so.
// (ProducerConfig, KafkaProducer.configureDeliveryTimeout; with more than 5 in flight Kafka 4 refuses to
// start.)
// librdkafka asks only that delivery.timeout.ms (message.timeout.ms) is above linger.ms
// (rd_kafka_topic_conf_finalize).
void complete_producer_properties(Value& properties, bool is_librdkafka, Report& report);

// (AbstractCoordinator's Heartbeat: the interval must be below the session timeout)
void complete_consumer_properties(Value& properties, Report& report);

}  // namespace sim::scenario
