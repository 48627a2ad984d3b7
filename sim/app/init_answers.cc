#include "app/init_answers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "scenario/units.h"
#include "scenario/walk.h"

namespace sim::app {

namespace {

constexpr std::int64_t kMostBrokers = 1'000;
constexpr std::int64_t kMostControllers = 101;
constexpr std::int64_t kMostPartitions = 1'000;  // as many members a service may have
constexpr std::int64_t kMostOrdersPerSecond = 1'000'000;

class InitReader {
 public:
  int count(const std::string& flag, const std::string& text, std::int64_t most) {
    const scenario::Scalar scalar = scenario::read_scalar(text, scenario::UnitKind::none);
    if (scalar.value && *scalar.value >= 1 && *scalar.value <= most) return static_cast<int>(*scalar.value);
    fail(flag + " is a whole number from 1 to " + std::to_string(most) + ", not \"" + text + "\"");
    return 1;
  }

  // Whole orders per second; a number alone is taken for that.
  std::int64_t rate(const std::string& text) {
    const bool is_bare =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const scenario::Scalar scalar =
        scenario::read_scalar(is_bare ? text + "/s" : text, scenario::UnitKind::rate);
    const std::int64_t orders = scalar.value.value_or(0) / 1'000;  // it counts in thousandths
    if (orders >= 1 && orders <= kMostOrdersPerSecond) return orders;
    fail("--rate is a number of orders such as 200/s, at least one a second, not \"" + text + "\"");
    return 1;
  }

  std::vector<std::string> services(const std::string& list) {
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(',', begin), list.size());
      std::string name = list.substr(begin, end - begin);
      name.erase(0, std::min(name.find_first_not_of(' '), name.size()));
      while (name.ends_with(' ')) name.pop_back();
      begin = end + 1;
      if (!scenario::is_name(name)) {
        fail("--services is a list such as payment,inventory: \"" + name + "\" cannot be a name",
             "use letters, digits, '.', '_' and '-'");
      } else if (name == "order-service") {
        fail("--services: order-service is who places the orders");
      } else if (std::find(names.begin(), names.end(), name) != names.end()) {
        fail("--services names " + name + " twice");
      } else {
        names.push_back(name);
      }
    }
    return names;
  }

  std::string one_of(const std::string& flag, const std::string& text,
                     const std::vector<std::string>& words) {
    if (std::find(words.begin(), words.end(), text) != words.end()) return text;
    std::string list;
    for (const std::string& choice : words) list += (list.empty() ? "" : ", ") + choice;
    fail(flag + " is one of " + list + ", not \"" + text + "\"");
    return words.front();
  }

  void fail(std::string message, std::string hint = {}) {
    Problem problem;
    problem.file = "init";
    problem.message = std::move(message);
    problem.hint = std::move(hint);
    problems_.push_back(std::move(problem));
  }
  const Problems& problems() const { return problems_; }

 private:
  Problems problems_;
};

}  // namespace

Result<importer::FirstScenario> first_scenario_of(const InitAnswers& answers) {
  InitReader reader;
  importer::FirstScenario wanted;
  wanted.brokers = reader.count("--brokers", answers.brokers, kMostBrokers);
  wanted.controllers = reader.count("--controllers", answers.controllers, kMostControllers);
  wanted.partitions = reader.count("--partitions", answers.partitions, kMostPartitions);
  wanted.topic = answers.topic;
  if (!scenario::is_topic_name(answers.topic) || answers.topic.starts_with("__"))
    reader.fail("--topic: \"" + answers.topic + "\" cannot be a topic's name",
                "use letters, digits, '.', '_' and '-'");
  wanted.replication_factor =
      answers.replication_factor.empty()
          ? std::min(3, wanted.brokers)
          : reader.count("--replication-factor", answers.replication_factor, kMostBrokers);
  if (wanted.replication_factor > wanted.brokers)
    reader.fail("--replication-factor " + std::to_string(wanted.replication_factor) +
                " needs as many brokers, and there are " + std::to_string(wanted.brokers));
  wanted.min_isr = answers.min_isr.empty() ? std::min(2, wanted.replication_factor)
                                           : reader.count("--min-isr", answers.min_isr, kMostBrokers);
  if (wanted.min_isr > wanted.replication_factor)
    reader.fail("--min-isr " + std::to_string(wanted.min_isr) + " is more than the " +
                std::to_string(wanted.replication_factor) + " replicas of a partition");
  wanted.orders_per_second = reader.rate(answers.rate);
  wanted.services = reader.services(answers.services);
  wanted.acks = reader.one_of("--acks", answers.acks, {"all", "1", "0"});
  wanted.has_crash = reader.one_of("--crash", answers.crash, {"yes", "no"}) == "yes";
  if (!reader.problems().empty()) return reader.problems();
  return wanted;
}

}  // namespace sim::app
