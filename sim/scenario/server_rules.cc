#include "scenario/server_rules.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/topic_settings.h"
#include "scenario/property_values.h"

namespace sim::scenario {

namespace {

constexpr Components kServer = kBroker | kController;

// Of the names under which a setting may be given the first that is decides; the others are folded into the
// first name: "hours, unless minutes, unless milliseconds" becomes milliseconds.
void fold_synonyms(Value& map, const TopicSetting& setting) {
  const std::string main_name(setting.synonyms.front().name);
  for (const BrokerSynonym& synonym : setting.synonyms) {
    if (map.find(main_name) != nullptr) break;
    const bool is_last = synonym.name == setting.synonyms.back().name;
    if (map.find(synonym.name) == nullptr && !is_last) continue;
    const std::int64_t count = property_number(map, synonym.name, kServer);
    map.set(main_name, scalar(std::to_string(count < 0 ? -1 : count * synonym.factor),
                              property_place(map, synonym.name)));
  }
}
void remove_folded(Value& map, const TopicSetting& setting) {
  for (const BrokerSynonym& synonym : setting.synonyms.subspan(1)) {
    if (!synonym.only_stands_in) remove_property(map, synonym.name);
  }
}
bool has_several_names(const TopicSetting& setting) {
  return setting.is_modelled() && setting.synonyms.size() > 1;
}

// first <= second, or Kafka does not start.
void at_most(const Value& map, std::string_view first, std::string_view second, std::string_view why,
             Report& report) {
  if (property_number(map, first, kServer) <= property_number(map, second, kServer)) return;
  const std::string_view given = map.find(first) != nullptr ? first : second;
  report.error(property_place(map, given),
               std::string(first) + " (" + std::string(property_text(map, first, kServer)) +
                   ") must be at most " + std::string(second) + " (" +
                   std::string(property_text(map, second, kServer)) + "): " + std::string(why));
}

}  // namespace

void complete_server_properties(Value& properties, Report& report) {
  for (const TopicSetting& setting : topic_settings()) {
    if (has_several_names(setting)) fold_synonyms(properties, setting);
  }
  if (property_number(properties, "log.retention.ms", kServer) == 0) {
    report.error(property_place(properties, "log.retention.ms"),
                 "log.retention.ms must be unlimited (-1) or at least 1");
  }
  at_most(properties, "replica.fetch.wait.max.ms", "replica.socket.timeout.ms",
          "followers' fetches would time out", report);
  at_most(properties, "replica.fetch.wait.max.ms", "replica.lag.time.max.ms",
          "followers would leave the ISR all the time", report);
  at_most(properties, "group.min.session.timeout.ms", "group.max.session.timeout.ms",
          "no session timeout would be allowed", report);
  for (const char* what : {"session.timeout.ms", "heartbeat.interval.ms"}) {
    const std::string name = std::string("group.consumer.") + what;
    const std::string least = std::string("group.consumer.min.") + what;
    const std::string most = std::string("group.consumer.max.") + what;
    at_most(properties, least, most, "no value between them would be allowed", report);
    at_most(properties, least, name, "it is the least that is allowed", report);
    at_most(properties, name, most, "it is the most that is allowed", report);
  }
  const std::int64_t heartbeat = property_number(properties, "group.consumer.heartbeat.interval.ms", kServer);
  const std::int64_t session = property_number(properties, "group.consumer.session.timeout.ms", kServer);
  if (heartbeat >= session) {
    const char* given = properties.find("group.consumer.heartbeat.interval.ms") != nullptr
                            ? "group.consumer.heartbeat.interval.ms"
                            : "group.consumer.session.timeout.ms";
    report.error(property_place(properties, given),
                 "group.consumer.heartbeat.interval.ms (" + std::to_string(heartbeat) +
                     ") must be less than group.consumer.session.timeout.ms (" + std::to_string(session) +
                     ")");
  }
  fill_in_defaults(properties, kServer);
  for (const TopicSetting& setting : topic_settings()) {
    if (has_several_names(setting)) remove_folded(properties, setting);
  }
}

void complete_topic_properties(Value& properties, const Value& server, Report& report) {
  for (const TopicSetting& setting : topic_settings()) {
    if (!setting.is_modelled() || setting.synonyms.empty()) continue;
    const std::string name(setting.name);
    if (properties.find(name) == nullptr)
      properties.set(name, scalar(server.at(setting.synonyms.front().name).text));
  }
  const std::int64_t least_lag = property_number(properties, "min.compaction.lag.ms", kTopic);
  const std::int64_t most_lag = property_number(properties, "max.compaction.lag.ms", kTopic);
  if (least_lag > most_lag) {
    report.error(property_place(properties, "min.compaction.lag.ms"),
                 "min.compaction.lag.ms (" + std::to_string(least_lag) +
                     ") must be at most max.compaction.lag.ms (" + std::to_string(most_lag) + ")");
  }
  fill_in_defaults(properties, kTopic);
}

}  // namespace sim::scenario
