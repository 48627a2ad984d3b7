#include "importer/first_scenario.h"

#include <algorithm>
#include <cstddef>

#include "importer/file_kinds.h"
#include "scenario/resolved.h"
#include "scenario/units.h"

namespace sim::importer {

namespace {

// A service time with p99 = 5 x p50 has a mean of 1.27 x p50 (log-normal).
constexpr std::int64_t kSpread = 5;
constexpr std::int64_t kMeanPercent = 127;
constexpr std::int64_t kBusyPercent = 60;

std::string duration_of_us(std::int64_t us) {
  return scenario::print_scalar(us * 1'000, scenario::UnitKind::duration);
}

std::string plain_name(const std::string& file) {
  std::string name;
  for (const char c : stem_of_file(file)) {
    const bool may_stand =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    name += may_stand ? c : '-';
  }
  name.erase(0, name.find_first_not_of('-'));
  return name.empty() ? "shop" : name.substr(0, 60);
}

std::string with_remark(std::string content, const std::string& remark) {
  constexpr std::size_t kColumn = 44;
  content += std::string(content.size() < kColumn ? kColumn - content.size() : 1, ' ');
  return content + "# " + remark + "\n";
}

}  // namespace

Crew crew_for(std::int64_t orders_per_second, int partitions) {
  constexpr std::int64_t kUsualServiceUs = 4'000;
  const auto members_for = [orders_per_second](std::int64_t service_us) {
    const std::int64_t busy_us = orders_per_second * service_us * kMeanPercent / 100;  // in each second
    return (busy_us * 100 / kBusyPercent + 999'999) / 1'000'000;
  };
  const std::int64_t wanted = members_for(kUsualServiceUs);
  if (wanted <= partitions)
    return {static_cast<int>(std::max<std::int64_t>(std::min(2, partitions), wanted)), kUsualServiceUs};
  // More members than partitions would have nothing to do: the work has to be shorter.
  std::int64_t service_us =
      std::int64_t{1'000'000} * partitions * kBusyPercent / (orders_per_second * kMeanPercent);
  if (service_us > 100) service_us = service_us / 100 * 100;
  return {partitions, std::max<std::int64_t>(1, service_us)};
}

std::string first_scenario_text(const FirstScenario& wanted, const std::string& file) {
  using scenario::text_in_yaml;
  const Crew crew = crew_for(wanted.orders_per_second, wanted.partitions);
  const std::string rate = std::to_string(wanted.orders_per_second) + "/s";
  const std::string first_service = wanted.services.front();
  const std::string topic = text_in_yaml(wanted.topic);
  std::string text =
      "# yaml-language-server: $schema=kraftsim-v1.schema.json\n"
      "#\n"
      "# A first scenario. Play it, change a line, play it again:\n"
      "#\n"
      "#   kraftsim run " +
      file +
      "\n"
      "#   kraftsim run " +
      file +
      " --seed 2                     another history of the same shop\n"
      "#   kraftsim explain clients." +
      first_service +
      ".commit        what a line means, and what it may say\n"
      "#   kraftsim schema > kraftsim-v1.schema.json       and your editor completes and checks this file\n"
      "schema: kraftsim/v1\n"
      "name: " +
      text_in_yaml(plain_name(file)) + "\n";
  text += "about: " +
          text_in_yaml("Customers place " + std::to_string(wanted.orders_per_second) + " orders a second" +
                       (wanted.has_crash ? ", and a broker crashes: is every order handled?"
                                         : ": is every order handled, and how soon?")) +
          "\n";
  text += with_remark("duration: 60s", "orders are placed until then; what is under way is finished");
  text += with_remark("warmup: 15s", "orders before that are left out of the summary");
  text += with_remark("seed: 1", "the same seed, the same run, to the byte");
  text += "\ncluster:\n";
  text += with_remark("  brokers: " + std::to_string(wanted.brokers), "they keep the records");
  text += with_remark("  controllers: " + std::to_string(wanted.controllers),
                      "the metadata quorum (KRaft): it says who leads what");
  if (wanted.brokers < 3) {
    text += "  config:\n";
    text += with_remark("    offsets.topic.replication.factor: " + std::to_string(wanted.brokers),
                        "Kafka's default is 3, which needs three brokers");
  }
  text += "\ntopics:\n  " + topic + ":\n";
  text += with_remark("    partitions: " + std::to_string(wanted.partitions),
                      "each is worked on by one member of a service at a time");
  text += with_remark("    replication.factor: " + std::to_string(wanted.replication_factor),
                      "brokers that keep a copy of each order");
  text += with_remark("    config: {min.insync.replicas: " + std::to_string(wanted.min_isr) + "}",
                      "copies there must be for acks=all to say yes");
  text += "\nclients:\n  order-service:\n    produces: " + topic + "\n";
  text += with_remark("    arrivals: {poisson: " + rate + "}",
                      "independent customers, whatever the cluster does");
  text += with_remark("    key: {uniform: {n: 10000}}",
                      "customers; an order goes to the partition of its customer");
  text += "    record.size: 1KiB\n";
  text += with_remark("    start: 12s", "by then the groups of the services have formed");
  text += with_remark("    config: {acks: " + wanted.acks + "}",
                      wanted.acks == "all" ? "acknowledged once every in-sync replica has it"
                      : wanted.acks == "1" ? "acknowledged once the leader has it, and no one else perhaps"
                                           : "nobody acknowledges anything");
  text +=
      "\n  # Each service is a consumer group of its own and handles every order; its members share the "
      "partitions.\n";
  for (const std::string& service : wanted.services) {
    text += "  " + text_in_yaml(service) + ":\n";
    text += "    consumes: " + topic + "\n    group.id: " + text_in_yaml(service) + "\n";
    text += with_remark("    members: " + std::to_string(crew.members),
                        "enough to be busy six tenths of the time, or less");
    text += with_remark("    service: {p50: " + duration_of_us(crew.service_us) +
                            ", p99: " + duration_of_us(crew.service_us * kSpread) + "}",
                        "what an order takes");
    text += with_remark("    commit: after-batch",
                        "or auto, after-each, before: what is repeated after a crash?");
  }
  if (wanted.has_crash) {
    text +=
        "\nfaults:\n  # The leader of a partition dies for a quarter of a minute, and comes back with its "
        "disk.\n";
    text += "  - {name: crash, at: 30s, for: 15s, kill: {target: \"leader(" + wanted.topic + "-0)\"}}\n";
  }
  text += "\nexpect:\n";
  text += "  - {id: durable,  metric: lost_orders, equals: 0}\n";
  text += "  - {id: complete, metric: unhandled_orders, equals: 0}\n";
  text += "  - {id: in-time,  metric: e2e_latency, window: steady, p99: \"< 1s\"}\n";
  if (wanted.has_crash)
    text += "  - {id: heals,    recovery: crash, until: \"lag(" + first_service + ") < 1s\", within: 30s}\n";
  return text;
}

}  // namespace sim::importer
