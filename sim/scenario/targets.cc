#include "scenario/targets.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "scenario/read_values.h"
#include "scenario/suggest.h"
#include "scenario/units.h"

namespace sim::scenario {

namespace {

std::optional<std::int32_t> whole_number(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || number < 0 || leading_zero) {
    return std::nullopt;
  }
  return number;
}

ReadTarget refused(std::string problem, std::string hint) {
  return {std::nullopt, std::move(problem), std::move(hint)};
}

std::optional<fault::Pool> pool_of(std::string_view word) {
  for (const fault::Pool pool : {fault::Pool::brokers, fault::Pool::controllers, fault::Pool::clients}) {
    if (name_of(pool) == word) return pool;
  }
  return std::nullopt;
}

ReadTarget read_word(std::string_view text, const FixedNames& fixed) {
  if (fixed.contains(text)) return {fault::FixedTarget{std::string(text)}, {}, {}};
  if (text == "controller") return {fault::ActiveController{}, {}, {}};
  if (const std::optional<fault::Pool> pool = pool_of(text)) return {fault::AllOf{*pool}, {}, {}};
  for (const std::string_view role : {"broker-", "controller-"}) {
    if (!text.starts_with(role)) continue;
    const std::optional<std::int32_t> id = whole_number(text.substr(role.size()));
    if (!id || *id == 0)
      return refused("is no target", "servers are numbered from 1, such as " + std::string(role) + "1");
    if (role == "broker-") return {fault::BrokerTarget{NodeId{*id}}, {}, {}};
    return {fault::ControllerTarget{NodeId{*id}}, {}, {}};
  }
  std::vector<std::string_view> words{"controller", "brokers",  "controllers",
                                      "clients",    "broker-1", "controller-1"};
  words.insert(words.end(), fixed.begin(), fixed.end());
  std::string hint = did_you_mean(text, words);
  for (const std::string_view role : {"leader", "follower", "coordinator", "client", "rack", "random"}) {
    if (text == role) hint = "of which? Targets are " + std::string(kTargetExamples);
  }
  return refused("is no target", hint.empty() ? "targets are " + std::string(kTargetExamples) : hint);
}

ReadTarget read_client(std::string_view inside) {
  const std::size_t bracket = inside.find('[');
  fault::ClientTarget client{std::string(trimmed(inside.substr(0, bracket))), std::nullopt};
  if (bracket != std::string_view::npos) {
    const bool closed = inside.back() == ']';
    const std::string_view digits = inside.substr(bracket + 1, inside.size() - bracket - (closed ? 2 : 1));
    client.member = whole_number(digits);
    if (!closed || !client.member)
      return refused("names no member", "members are counted from 0, such as client(" + client.name + "[0])");
  }
  return {std::move(client), {}, {}};
}

ReadTarget read_random(std::string_view inside) {
  const std::size_t comma = inside.find(',');
  const std::optional<fault::Pool> pool = pool_of(trimmed(inside.substr(0, comma)));
  if (!pool)
    return refused("draws from no pool", "random(brokers, 1), random(controllers, 1) or random(clients, 1)");
  fault::RandomOf random{*pool, 1};
  if (comma != std::string_view::npos) {
    const std::optional<std::int32_t> count = whole_number(trimmed(inside.substr(comma + 1)));
    if (!count || *count == 0)
      return refused("draws no number of them", "such as random(" + std::string(name_of(*pool)) + ", 1)");
    random.count = *count;
  }
  return {random, {}, {}};
}

ReadTarget read_role(std::string_view role, std::string_view inside) {
  if (inside.empty()) return refused("is no target", "of which? Targets are " + std::string(kTargetExamples));
  if (role == "rack") return {fault::RackTarget{std::string(inside)}, {}, {}};
  if (role == "coordinator") return {fault::CoordinatorOf{std::string(inside)}, {}, {}};
  if (role == "client") return read_client(inside);
  if (role == "random") return read_random(inside);
  const std::size_t comma = role == "follower" ? inside.find(',') : std::string_view::npos;
  const std::string_view name = trimmed(inside.substr(0, comma));
  const std::optional<NamedPartition> partition = read_partition(name);
  if (!partition) {
    return refused("names no partition",
                   "which one? Such as " + std::string(role) + "(" + std::string(name) + "-0)");
  }
  if (role == "leader") return {fault::LeaderOf{partition->topic, partition->partition}, {}, {}};
  fault::FollowerOf follower{partition->topic, partition->partition, 1};
  if (comma != std::string_view::npos) {
    const std::optional<std::int32_t> ordinal = whole_number(trimmed(inside.substr(comma + 1)));
    if (!ordinal || *ordinal == 0) {
      return refused("names no follower",
                     "followers are counted from 1, such as follower(" + std::string(name) + ", 1)");
    }
    follower.ordinal = *ordinal;
  }
  return {std::move(follower), {}, {}};
}

}  // namespace

std::span<const TargetRole> target_roles() {
  static constexpr TargetRole kForms[] = {
      {"broker-N", "The broker of that number."},
      {"controller-N", "The controller of that number, whether it is active or not."},
      {"controller", "The controller that is active when the fault strikes."},
      {"leader(TOPIC-PARTITION)",
       "The broker that leads the partition when the fault strikes; of __cluster_metadata-0 the active "
       "controller."},
      {"follower(TOPIC-PARTITION, N)",
       "The Nth of the replicas that follow when the fault strikes, the first without N; of "
       "__cluster_metadata-0 a standby controller."},
      {"coordinator(GROUP)", "The broker that coordinates the consumer group when the fault strikes."},
      {"client(NAME[MEMBER])",
       "An application: one member of it, counted from 0, or all of them without one."},
      {"rack(NAME)", "All servers of the rack."},
      {"random(POOL, N)",
       "N of brokers, controllers or clients, drawn from the seed when the fault strikes; those that are "
       "up."},
      {"brokers", "All brokers."},
      {"controllers", "All controllers."},
      {"clients", "All applications."}};
  return kForms;
}

std::optional<NamedPartition> read_partition(std::string_view text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::optional<std::int32_t> number = whole_number(text.substr(dash + 1));
  if (!number) return std::nullopt;
  return NamedPartition{std::string(text.substr(0, dash)), *number};
}

FixedNames fixed_names(const Value& root) {
  FixedNames names;
  const Value* let = root.find("let");
  if (let == nullptr) return names;
  for (const Entry& entry : let->entries) names.insert(entry.key);
  return names;
}

ReadFixedTarget read_fixed_target(std::string_view text) {
  constexpr std::string_view kAt = " at ";
  constexpr const char* kExample = "such as \"leader(orders-0) at 29s\"";
  const std::size_t at = text.rfind(kAt);
  if (at == std::string_view::npos) return {refused("does not say when", kExample)};
  const Scalar when = read_scalar(trimmed(text.substr(at + kAt.size())), UnitKind::duration);
  if (!when.value || *when.value < 0)
    return {refused("does not say when: " + (when.value ? "before the run" : when.problem), kExample)};
  return {read_target(text.substr(0, at)), *when.value};
}

ReadTarget read_target(std::string_view text, const FixedNames& fixed) {
  text = trimmed(text);
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos) return read_word(text, fixed);
  if (text.back() != ')') {
    return refused("has a ( that is never closed",
                   "in a flow map, quote what holds a comma: \"follower(orders-0, 1)\"");
  }
  constexpr std::string_view kRoles[] = {"leader", "follower", "coordinator", "client", "rack", "random"};
  const std::string_view role = trimmed(text.substr(0, open));
  const std::string_view inside = text.substr(open, text.size() - open);
  if (std::find(std::begin(kRoles), std::end(kRoles), role) == std::end(kRoles)) {
    const std::string_view meant = nearest(role, {std::begin(kRoles), std::end(kRoles)});
    return refused("is no target", meant.empty()
                                       ? "targets are " + std::string(kTargetExamples)
                                       : "did you mean " + std::string(meant) + std::string(inside) + "?");
  }
  return read_role(role, trimmed(inside.substr(1, inside.size() - 2)));
}

}  // namespace sim::scenario
