#include "scenario/server_rules.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "scenario/property_values.h"

namespace sim::scenario {

namespace {

constexpr Components kServer = kBroker | kController;

// Folds "hours, unless minutes, unless milliseconds" into milliseconds.
void fold_into_ms(Value& map, const std::string& ms, std::string_view minutes, std::string_view hours,
                  Report& report) {
  if (map.find(ms) == nullptr) {
    const bool by_minutes = !minutes.empty() && map.find(minutes) != nullptr;
    const std::int64_t count = property_number(map, by_minutes ? minutes : hours, kServer);
    map.set(ms, scalar(std::to_string(count < 0 ? -1 : count * (by_minutes ? 60'000 : 3'600'000)),
                       property_place(map, by_minutes ? minutes : hours)));
  }
  if (!minutes.empty()) remove_property(map, minutes);
  remove_property(map, hours);
  if (property_number(map, ms, kServer) == 0)
    report.error(property_place(map, ms), ms + " must be unlimited (-1) or at least 1");
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
  fold_into_ms(properties, "log.retention.ms", "log.retention.minutes", "log.retention.hours", report);
  fold_into_ms(properties, "log.roll.ms", "", "log.roll.hours", report);
  if (properties.find("log.flush.interval.ms") == nullptr) {
    properties.set(
        "log.flush.interval.ms",
        scalar(std::string(property_text(properties, "log.flush.scheduler.interval.ms", kServer))));
  }
  at_most(properties, "replica.fetch.wait.max.ms", "replica.socket.timeout.ms",
          "followers' fetches would time out", report);
  at_most(properties, "replica.fetch.wait.max.ms", "replica.lag.time.max.ms",
          "followers would leave the ISR all the time", report);
  at_most(properties, "group.min.session.timeout.ms", "group.max.session.timeout.ms",
          "no session timeout would be allowed", report);
  fill_in_defaults(properties, kServer);
  remove_property(properties, "log.retention.hours");
  remove_property(properties, "log.roll.hours");
}

void complete_topic_properties(Value& properties, const Value& server, Report& report) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kSynonyms{
      {{"cleanup.policy", "log.cleanup.policy"},
       {"retention.ms", "log.retention.ms"},
       {"retention.bytes", "log.retention.bytes"},
       {"segment.bytes", "log.segment.bytes"},
       {"segment.ms", "log.roll.ms"},
       {"max.message.bytes", "message.max.bytes"},
       {"min.insync.replicas", "min.insync.replicas"},
       {"unclean.leader.election.enable", "unclean.leader.election.enable"},
       {"flush.messages", "log.flush.interval.messages"},
       {"flush.ms", "log.flush.interval.ms"},
       {"min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio"},
       {"min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms"},
       {"max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms"},
       {"delete.retention.ms", "log.cleaner.delete.retention.ms"},
       {"message.timestamp.type", "log.message.timestamp.type"},
       {"message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms"},
       {"message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms"}}};
  for (const auto& [name, synonym] : kSynonyms) {
    if (properties.find(name) == nullptr) properties.set(std::string(name), scalar(server.at(synonym).text));
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
