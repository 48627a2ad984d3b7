#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/overloaded.h"
#include "scenario/clients.h"
#include "scenario/drawn.h"
#include "scenario/faults.h"
#include "scenario/property_values.h"
#include "scenario/read_values.h"
#include "scenario/schema.h"
#include "scenario/suggest.h"
#include "scenario/targets.h"
#include "scenario/units.h"
#include "scenario/validate.h"

namespace sim::scenario {

namespace {

// kill, partition, ...: the entry that says what happens, or null if there is none, which has been reported.
const Entry* kind_of(const Value& fault) {
  for (const Key* row : keys_below("faults/[]")) {
    if (row->alternative == 0) continue;
    for (const Entry& entry : fault.entries) {
      if (entry.key == row->last()) return &entry;
    }
  }
  return nullptr;
}

// Where whom it hits stands, or null: halves and rings choose for themselves.
const Value* aim_of(const Entry& kind) {
  for (const std::string_view key : {"target", "isolate", "groups"}) {
    if (const Value* found = kind.value.find(key)) return found;
  }
  return nullptr;
}

const Value& first_of(const Value& aim) {
  const Value* first = &aim;
  while (first->is_list() && !first->items.empty()) first = &first->items.front();
  return *first;
}

class Faults {
 public:
  Faults(Value& root, Report& report) : root_(root), report_(report), fixed_names_(fixed_names(root)) {
    const Value& config = root.at("cluster").at("config");
    for (const Entry& topic : root.at("topics").entries)
      topics_[topic.key] = count_of(topic.value.at("partitions"));
    for (const Entry& client : root.at("clients").entries) {
      clients_.push_back(client.key);
      if (const Value* produces = client.value.find("produces")) {
        topics_.emplace(produces->text,
                        count_of(config.at("num.partitions")));  // created when it is asked for
      }
      if (const Value* group = client.value.find("group.id")) groups_.push_back(group->text);
    }
    topics_.emplace("__consumer_offsets", count_of(config.at("offsets.topic.num.partitions")));
    topics_.emplace("__transaction_state", count_of(config.at("transaction.state.log.num.partitions")));
    topics_.emplace(fault::kMetadataTopic, 1);
    const Value* faults = root.find("faults");
    if (faults == nullptr) return;
    for (const Value& fault : faults->items) {  // so may topics and partitions that come later
      const Value* admin = fault.find("admin");
      const Value* fresh = admin == nullptr ? nullptr : admin->find("create-topic");
      if (fresh != nullptr && root.at("topics").find(fresh->at("topic").text) == nullptr) {
        const Value* replicas = fresh->find("replicas");
        const Value* count = fresh->find("partitions");
        topics_[fresh->at("topic").text] = replicas != nullptr
                                               ? static_cast<std::int64_t>(replicas->items.size())
                                           : count != nullptr ? count_of(*count)
                                                              : count_of(config.at("num.partitions"));
      }
      const Value* more = admin == nullptr ? nullptr : admin->find("create-partitions");
      if (more == nullptr || more->at("count").invented) continue;
      const auto topic = topics_.find(more->at("topic").text);
      if (topic == topics_.end()) continue;
      before_.emplace(*topic);
      topic->second = std::max(topic->second, count_of(more->at("count")));
    }
  }

  void check() {
    check_fixed_targets();
    Value* faults = root_.find("faults");
    if (faults == nullptr) return;
    for (std::size_t i = 0; i < faults->items.size(); ++i) {
      Value& fault = faults->items[i];
      where_ = "faults[" + std::to_string(i) + "]";
      strikes_at_ = nanoseconds_of(fault.at("at"));
      use_until(fault);
      if (const Value* hold = fault.find("hold")) check_hold(*hold);
      if (const Value* stop = fault.find("stop")) check_stop(fault, *stop);
      if (const Value* deploy = fault.find("deploy")) check_deploy(fault, *deploy);
      if (const Entry* kind = kind_of(fault)) check_targets(*kind);
      if (const Entry* kind = kind_of(fault)) check_disk(*kind);
      if (const Value* admin = fault.find("admin")) check_admin(fault, *admin);
      check_condition(fault);
      check_times(fault);
      check_overlap(fault, i);
      give_name(fault, i);
    }
  }

 private:
  void check_fixed_targets() {
    const Value* let = root_.find("let");
    if (let == nullptr) return;
    std::set<std::string, std::less<>> used;
    const Value* faults = root_.find("faults");
    if (faults != nullptr) gather_words(*faults, used);
    for (const Entry& entry : let->entries) {
      where_ = "let." + entry.key;
      const ReadFixedTarget read = read_fixed_target(entry.value.text);
      std::visit([&](const auto& one) { exists(one, entry.value, where_); }, *read.target.target);
      if (!used.contains(entry.key))
        report_.warning(entry.key_place, where_ + " is named by no fault", "name it as a fault's target");
    }
  }
  static void gather_words(const Value& value, std::set<std::string, std::less<>>& words) {
    if (value.is_scalar()) words.insert(value.text);
    for (const Value& item : value.items) gather_words(item, words);
    for (const Entry& entry : value.entries) gather_words(entry.value, words);
  }

  // From here on the fault has a `for`.
  void use_until(Value& fault) {
    const Value* until = fault.find("until");
    if (until == nullptr) return;
    const Place place = until->place;
    const std::int64_t lasts = nanoseconds_of(*until) - strikes_at_;
    const bool has_for = fault.find("for") != nullptr;
    const bool repeats = fault.find("every") != nullptr;
    if (has_for) report_.error(place, where_ + " has both for and until", "give one of them");
    if (repeats) {
      report_.error(place, where_ + ".until: it strikes again and again, and each time ends elsewhere",
                    "say how long a strike lasts, such as for: 5s");
    }
    if (!has_for && !repeats && lasts <= 0) {
      report_.error(
          place,
          where_ + ".until: it would end at " + until->text + ", before it strikes at " + fault.at("at").text,
          "until is a time of the run; for is how long it lasts");
    }
    const bool is_right = !has_for && !repeats && lasts > 0;
    for (Entry& entry : fault.entries) {
      if (entry.key == "until" && is_right)
        entry = Entry{"for", entry.key_place, scalar(print_scalar(lasts, UnitKind::duration), place)};
    }
    if (!is_right) std::erase_if(fault.entries, [](const Entry& entry) { return entry.key == "until"; });
  }

  void check_hold(const Value& hold) {
    const Value* partition = hold.find("partition");
    if (partition == nullptr) return;
    const std::string where = where_ + ".hold.partition";
    if (!read_partition(partition->text))
      return nobody(*partition, where, describe(*partition) + " is no partition", "such as orders-0");
    check_named(partition->text, *partition, where);
    constexpr std::string_view kOfPartitions[] = {"AlterPartition", "AssignReplicasToDirs", "Fetch",
                                                  "ListOffsets",    "OffsetCommit",         "OffsetFetch",
                                                  "Produce",        "OffsetForLeaderEpoch"};
    const Value& request = hold.at("request");
    if (request.invented || std::find(std::begin(kOfPartitions), std::end(kOfPartitions), request.text) !=
                                std::end(kOfPartitions))
      return;
    nobody(*partition, where, request.text + " is not about partitions",
           "Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, OffsetCommit, OffsetFetch, AlterPartition and "
           "AssignReplicasToDirs are");
  }

  void check_stop(const Value& fault, const Value& stop) {
    const Value* down = stop.find("down");
    const Value* lasts = fault.find("for");
    if (down == nullptr || lasts == nullptr) return;
    report_.error(lasts->place, where_ + " has both for and stop.down",
                  "for counts from the signal, down from when they have exited: give one of them");
  }

  void check_targets(const Entry& kind) {
    for (const std::string_view key : {"target", "to", "isolate", "from", "groups"}) {
      if (const Value* aim = kind.value.find(key))
        check_aim(*aim, where_ + "." + kind.key + "." + std::string(key));
    }
  }

  // What an operator asks for. Whether the cluster grants it is its affair; what it names exists.
  void check_admin(const Value& fault, const Value& admin) {
    if (admin.entries.empty()) return;
    const Entry& action = admin.entries.front();
    const std::string where = where_ + ".admin." + action.key;
    if (const Value* lasts = fault.find("for")) {
      report_.error(lasts->place, where_ + ".for: there is nothing to undo in what an operator does",
                    "leave it out; to take it back, write another fault");
    }
    if (const Value* partitions = action.value.find("partitions")) {
      if (partitions->is_scalar() && partitions->text != "all")
        check_named(partitions->text, *partitions, where + ".partitions");
      for (const Value& item : partitions->items) check_named(item.text, item, where + ".partitions");
    }
    if (action.key == "reassign") {
      for (const Entry& entry : action.value.entries) {
        check_named(entry.key, scalar(entry.key, entry.key_place), where);
        for (const Value& item : entry.value.items) check_broker(item, where + "." + entry.key);
      }
    }
    if (action.key == "move-replicas") {
      for (const Entry& entry : action.value.entries) check_broker(entry.value, where + "." + entry.key);
    }
    if (action.key == "create-topic") return check_create_topic(action.value, where);
    if (action.key == "reset-offsets") check_reset_offsets(action.value, where);
    const Value* topic = action.key == "delete-topic" ? &action.value : action.value.find("topic");
    if (topic == nullptr || topic->invented) return;
    const bool known =
        check_topic(topic->text, *topic, where + (action.key == "delete-topic" ? "" : ".topic"));
    if (topic->text == "__consumer_offsets" && action.key != "alter-configs") {
      return nobody(*topic, where,
                    "__consumer_offsets is an internal topic of Kafka, which groups count on as it is");
    }
    if (known && action.key == "alter-configs") check_min_isr(topic->text, action.value.at("config"), where);
    const auto before = before_.find(topic->text);
    const Value* count = action.value.find("count");
    if (!known || count == nullptr || before == before_.end() || count_of(*count) > before->second) return;
    report_.error(count->place,
                  where + ".count: topic " + topic->text + " has " + std::to_string(before->second) +
                      " partitions already, and cannot have fewer",
                  "give the number in all, such as " + std::to_string(before->second * 2));
  }

  // Which group, and to where exactly.
  void check_reset_offsets(const Value& reset, const std::string& where) {
    const Value* to = reset.find("to");
    const Value* duration = reset.find("by-duration");
    if (to == nullptr && duration == nullptr)
      report_.error(reset.place, where + " does not say to where",
                    "add to: earliest, to: latest, to: 1200 or by-duration: 5m");
    if (to != nullptr && duration != nullptr)
      report_.error(duration->place, where + " has both to and by-duration", "give one of them");
    if (to != nullptr && to->text != "earliest" && to->text != "latest") {
      const std::optional<std::int64_t> offset = read_scalar(to->text, UnitKind::none).value;
      if (!offset || *offset < 0)
        nobody(*to, where + ".to", "\"" + to->text + "\" is no offset",
               "earliest, latest, or a number from 0 on");
    }
    const Value& group = reset.at("group");
    std::vector<std::string_view> groups;
    for (const Entry& client : root_.at("clients").entries) {
      if (const Value* id = client.value.find("group.id")) groups.push_back(id->text);
    }
    if (!group.invented && std::find(groups.begin(), groups.end(), group.text) == groups.end())
      nobody(group, where + ".group", "there is no group \"" + group.text + "\"",
             did_you_mean(group.text, groups));
    const Value& topic = reset.at("topic");
    const Value& partitions = reset.at("partitions");
    const auto check_of_topic = [&](const Value& one) {
      const std::optional<NamedPartition> partition = read_partition(one.text);
      if (partition && partition->topic != topic.text)
        nobody(one, where + ".partitions", one.text + " is no partition of " + topic.text);
    };
    if (partitions.is_scalar() && partitions.text != "all") check_of_topic(partitions);
    for (const Value& item : partitions.items) check_of_topic(item);
  }

  // What the controller would refuse whatever the cluster's state is wrong here.
  void check_create_topic(const Value& create, const std::string& where) {
    const Value* replicas = create.find("replicas");
    for (const std::string_view key : {"partitions", "replication.factor"}) {
      const Value* count = replicas == nullptr ? nullptr : create.find(key);
      if (count != nullptr)
        report_.error(count->place, where + " has both replicas and " + std::string(key), "leave it out");
    }
    if (create.at("topic").text.starts_with("__"))
      nobody(create.at("topic"), where, create.at("topic").text + " is an internal topic of Kafka");
    const std::int64_t brokers = count_of(root_.at("cluster").at("brokers"));
    if (replicas == nullptr) return;
    for (const Value& partition : replicas->items) {
      for (const Value& broker : partition.items) {
        if (count_of(broker) > brokers)
          nobody(broker, where + ".replicas", "there is no broker-" + broker.text);
      }
    }
  }

  // Of clients only, with properties that they have; then the client as it will be is looked at like any
  // other.
  void check_deploy(const Value& fault, const Value& deploy) {
    const std::string where = where_ + ".deploy";
    if (const Value* lasts = fault.find("for")) {
      report_.error(lasts->place, where_ + ".for: a deployment is over when its processes are up again",
                    "to go back, write another deploy");
    }
    const Value& target = deploy.at("target");
    if (target.invented || deploy.lacks_wrong) return;
    std::vector<const Value*> named;
    if (target.is_scalar()) named.push_back(&target);
    for (const Value& item : target.items) named.push_back(&item);
    for (const Value* one : named) {
      const std::optional<fault::Target> read = read_target(one->text, fixed_names_).target;
      if (!read) return;
      const auto* client = std::get_if<fault::ClientTarget>(&*read);
      if (client == nullptr)
        return nobody(*one, where + ".target", one->text + " is no client", "such as client(payment)");
      const Value* of = root_.at("clients").find(client->name);
      if (of == nullptr) return;
      check_deployed_settings(*of, client->name, deploy, where);
    }
    if (report_.failed()) return;
    Value then = root_;
    for (Entry& client : deployed_clients(root_, deploy)) then.find("clients")->set(client.key, client.value);
    validate_clients(then, report_);
  }

  void check_deployed_settings(const Value& client, const std::string& name, const Value& deploy,
                               const std::string& where) {
    const bool produces = places_orders(client);
    const Value* service = deploy.find("service");
    if (service != nullptr && produces)
      nobody(*service, where + ".service", name + " produces, and handles no orders");
    if (deploy.at("config").entries.empty() && service == nullptr)
      report_.error(deploy.place, where + " changes nothing", "such as config: {linger.ms: 50}");
    for (const Entry& entry : deploy.at("config").entries) {
      if (find_property(entry.key, produces ? kProducer : kConsumer) != nullptr) continue;
      report_.error(entry.key_place, where + ".config: " + entry.key + " is a setting of " +
                                         (produces ? "consumers, and " + name + " produces"
                                                   : "producers, and " + name + " consumes"));
    }
  }

  void check_min_isr(const std::string& name, const Value& changed, const std::string& where) {
    const Value* min_isr = changed.find("min.insync.replicas");
    if (min_isr == nullptr) return;
    const Value& config = root_.at("cluster").at("config");
    const Value* topic = root_.at("topics").find(name);
    const Value& factor = topic != nullptr               ? topic->at("replication.factor")
                          : name == "__consumer_offsets" ? config.at("offsets.topic.replication.factor")
                                                         : config.at("default.replication.factor");
    if (count_of(*min_isr) <= count_of(factor)) return;
    report_.warning(min_isr->place,
                    where + ": " + more_in_sync_than_replicas(name, count_of(*min_isr), count_of(factor)));
  }

  void check_named(const std::string& text, const Value& at, const std::string& where) {
    const std::optional<NamedPartition> partition = read_partition(text);
    if (partition) check_partition(partition->topic, partition->partition, at, where);
  }

  void check_broker(const Value& at, const std::string& where) {
    const std::optional<fault::Target> target = read_target(at.text).target;
    if (at.invented) return;
    const auto* broker = target ? std::get_if<fault::BrokerTarget>(&*target) : nullptr;
    if (broker == nullptr) return nobody(at, where, at.text + " is no broker", "such as broker-2");
    check_server("broker", broker->id, at, where);
  }

  bool check_topic(const std::string& topic, const Value& at, const std::string& where) {
    if (topics_.contains(topic) && topic != fault::kMetadataTopic) return true;
    std::vector<std::string_view> names;
    for (const auto& [name, partitions] : topics_) names.push_back(name);
    nobody(at, where, "there is no topic \"" + topic + "\"", did_you_mean(topic, names));
    return false;
  }

  void check_disk(const Entry& kind) {
    const std::string where = where_ + "." + kind.key;
    if (kind.key == "io-delay" && !kind.value.lacks_wrong && kind.value.at("factor").text == "1" &&
        kind.value.at("by").text == "0s") {
      report_.error(kind.value.place, where + " slows nothing down",
                    "give it a factor, such as 20, or a time, such as by: 50ms");
    }
    const Value* dir = kind.value.find("dir");
    if (dir == nullptr || dir->invented) return;
    const std::int64_t there_are = log_directories(root_.at("cluster").at("config"));
    if (count_of(*dir) <= there_are) return;
    report_.error(
        dir->place,
        where + ".dir: there is no log directory number " + dir->text +
            (there_are == 1 ? "; log.dirs lists one" : "; log.dirs lists " + std::to_string(there_are)),
        "list them in cluster.config, such as log.dirs=/disk1,/disk2");
  }

  void check_aim(const Value& aim, const std::string& where) {
    for (const Value& item : aim.items) check_aim(item, where);
    if (!aim.is_scalar() || aim.invented) return;
    std::optional<fault::Target> target = read_target(aim.text, fixed_names_).target;
    if (!target) return;  // a name of let that is wrong there, which has been reported
    if (const auto* fixed = std::get_if<fault::FixedTarget>(&*target)) {
      const Value& let = root_.at("let").at(fixed->name);
      ReadFixedTarget read = read_fixed_target(let.text);
      if (read.at_ns > strikes_at_) {
        return nobody(aim, where,
                      fixed->name + " is fixed at " + print_scalar(read.at_ns, UnitKind::duration) +
                          ", when this has struck already",
                      "fix it earlier, or let this strike later");
      }
      target = std::move(read.target.target);
    }
    const bool of_a_disk = where.ends_with(".wipe.target") || where.find(".io-") != std::string::npos ||
                           where.ends_with(".disk-full.target");
    if (of_a_disk && names_clients(*target)) {
      return nobody(aim, where, "clients keep nothing on disks", "name brokers or controllers");
    }
    if (!fixed_names_.contains(aim.text))
      std::visit([&](const auto& one) { exists(one, aim, where); }, *target);
  }

  static bool names_clients(const fault::Target& target) {
    const auto* all = std::get_if<fault::AllOf>(&target);
    const auto* some = std::get_if<fault::RandomOf>(&target);
    return std::holds_alternative<fault::ClientTarget>(target) ||
           (all != nullptr && all->pool == fault::Pool::clients) ||
           (some != nullptr && some->pool == fault::Pool::clients);
  }

  void nobody(const Value& at, const std::string& where, const std::string& why,
              const std::string& hint = {}) {
    report_.error(at.place, where + ": " + why, hint);
  }

  void check_server(std::string_view role, NodeId id, const Value& at, const std::string& where) {
    const Value& count = root_.at("cluster").at(std::string(role) + "s");
    if (count.invented || id.value() <= count_of(count)) return;
    const std::string name(role);
    nobody(at, where,
           "there is no " + at.text + " in a cluster of " + count.text + " " + name +
               (count_of(count) == 1 ? "" : "s"),
           count_of(count) == 1 ? "there is " + name + "-1"
                                : "there are " + name + "-1 to " + name + "-" + count.text);
  }
  void exists(const fault::BrokerTarget& broker, const Value& at, const std::string& where) {
    check_server("broker", broker.id, at, where);
  }
  void exists(const fault::ControllerTarget& controller, const Value& at, const std::string& where) {
    check_server("controller", controller.id, at, where);
  }

  void exists(const fault::RackTarget& rack, const Value& at, const std::string& where) {
    std::vector<std::string_view> racks;
    for (const Value& known : root_.at("cluster").at("racks").items) racks.push_back(known.text);
    if (std::find(racks.begin(), racks.end(), rack.rack) != racks.end()) return;
    nobody(at, where, "there is no rack \"" + rack.rack + "\" in cluster.racks",
           did_you_mean_rack(rack.rack, racks));
  }

  void exists(const fault::FixedTarget&, const Value&, const std::string&) {}  // checked where it is fixed
  void exists(const fault::ActiveController&, const Value&, const std::string&) {}
  void exists(const fault::AllOf& all, const Value& at, const std::string& where) {
    if (all.pool == fault::Pool::clients && clients_.empty()) nobody(at, where, "there are no clients");
  }

  void check_partition(const std::string& topic, std::int32_t partition, const Value& at,
                       const std::string& where) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) {
      std::vector<std::string_view> names;
      for (const auto& [name, partitions] : topics_) names.push_back(name);
      return nobody(at, where, "there is no topic \"" + topic + "\"", did_you_mean(topic, names));
    }
    if (partition < found->second) return;
    nobody(at, where, "topic " + topic + " has no partition " + std::to_string(partition),
           found->second == 1
               ? "it has one: " + topic + "-0"
               : "it has " + topic + "-0 to " + topic + "-" + std::to_string(found->second - 1));
  }
  void exists(const fault::LeaderOf& leader, const Value& at, const std::string& where) {
    check_partition(leader.topic, leader.partition, at, where);
  }
  void check_standby(std::int32_t ordinal, const Value& at, const std::string& where) {
    const std::int64_t standbys = count_of(root_.at("cluster").at("controllers")) - 1;
    if (ordinal <= standbys) return;
    nobody(at, where,
           "of " + std::to_string(standbys + 1) + " controllers " + std::to_string(standbys) +
               (standbys == 1 ? " follows" : " follow"));
  }
  void exists(const fault::FollowerOf& follower, const Value& at, const std::string& where) {
    check_partition(follower.topic, follower.partition, at, where);
    if (follower.topic == fault::kMetadataTopic) return check_standby(follower.ordinal, at, where);
    const Value* topic = root_.at("topics").find(follower.topic);
    if (topic == nullptr) return;
    const Value& factor = topic->at("replication.factor");
    if (follower.ordinal < count_of(factor)) return;
    nobody(at, where,
           "topic " + follower.topic + " has " + factor.text +
               (count_of(factor) == 1
                    ? " replica: it has no followers"
                    : " replicas: the followers are 1 to " + std::to_string(count_of(factor) - 1)));
  }

  void exists(const fault::CoordinatorOf& coordinator, const Value& at, const std::string& where) {
    if (std::find(groups_.begin(), groups_.end(), coordinator.group) != groups_.end()) return;
    nobody(at, where, "there is no group \"" + coordinator.group + "\"",
           did_you_mean(coordinator.group, {groups_.begin(), groups_.end()}));
  }

  void exists(const fault::ClientTarget& target, const Value& at, const std::string& where) {
    const Value* client = root_.at("clients").find(target.name);
    if (client == nullptr) {
      return nobody(at, where, "there is no client \"" + target.name + "\"",
                    did_you_mean(target.name, {clients_.begin(), clients_.end()}));
    }
    if (!target.member) return;
    const Value* members = client->find("members");
    if (members == nullptr)
      return nobody(at, where, target.name + " has no members", "write client(" + target.name + ")");
    if (*target.member < count_of(*members)) return;
    nobody(at, where, target.name + " has no member " + std::to_string(*target.member),
           count_of(*members) == 1
               ? "it has one: " + target.name + "[0]"
               : "it has " + target.name + "[0] to [" + std::to_string(count_of(*members) - 1) + "]");
  }

  void exists(const fault::RandomOf& random, const Value& at, const std::string& where) {
    std::int64_t there_are = 0;
    std::string_view pool = "brokers";
    if (random.pool == fault::Pool::clients) {
      pool = "clients";
      for (const Entry& client : root_.at("clients").entries) {
        const Value* members = client.value.find("members");
        there_are += members == nullptr ? 1 : count_of(*members);
      }
    } else {
      if (random.pool == fault::Pool::controllers) pool = "controllers";
      const Value& count = root_.at("cluster").at(pool);
      if (count.invented) return;
      there_are = count_of(count);
    }
    if (random.count <= there_are) return;
    nobody(at, where,
           at.text + " asks for more than the " + std::to_string(there_are) + " " + std::string(pool) +
               " there are");
  }

  void check_condition(const Value& fault) {
    const Value* when = fault.find("when");
    if (when == nullptr) return;
    const std::string where = where_ + ".when";
    std::string why_not;
    const std::optional<fault::Condition> condition = read_when(when->text, why_not);
    if (!condition) {
      return nobody(
          *when, where, describe(*when) + " " + why_not,
          "such as \"lag(payment) > 5s\", append(orders-0), isr_change(orders), rebalance(payment)");
    }
    const auto* moment = std::get_if<fault::Moment>(&*condition);
    const std::string& group = moment == nullptr ? std::get<fault::Threshold>(*condition).group
                               : moment->what == fault::Moment::What::rebalance ? moment->of
                                                                                : "";
    if (!group.empty()) return exists(fault::CoordinatorOf{group}, *when, where);
    if (moment == nullptr || moment->of.empty()) return;
    if (moment->partition) return check_partition(moment->of, *moment->partition, *when, where);
    check_topic(moment->of, *when, where);
  }

  void check_times(const Value& fault) {
    const Value& at = fault.at("at");
    const Value* every = fault.find("every");
    const Value* lasts = fault.find("for");
    if (every != nullptr && lasts != nullptr && nanoseconds_of(*every) <= nanoseconds_of(*lasts)) {
      report_.error(every->place,
                    where_ + ": it lasts " + lasts->text + " and would strike again every " + every->text +
                        ", before it has ended",
                    "make every longer than for");
    }
    if (lasts != nullptr && fault.find("restart") != nullptr) {
      report_.error(lasts->place, where_ + ".for: a restart ends when the process is up again",
                    "to keep it down for a while, write stop with for");
    }
    if (lasts != nullptr && fault.find("reset") != nullptr) {
      report_.error(lasts->place, where_ + ".for: a reset is over at once",
                    "to keep them from connecting again, write partition with for");
    }
    check_loss(fault);
    const Value& duration = root_.at("duration");
    if (at.invented || duration.invented || nanoseconds_of(at) < nanoseconds_of(duration)) return;
    report_.warning(at.place, where_ + " strikes at " + at.text + ", when the load has ended (duration " +
                                  duration.text + "): the run may be over by then");
  }

  // Between two bursts at least one segment gets through.
  void check_loss(const Value& fault) {
    const Value* loss = fault.find("loss");
    if (loss == nullptr || loss->at("rate").invented) return;
    const Value& rate = loss->at("rate");
    const std::int64_t burst = count_of(loss->at("burst"));
    const std::int64_t most = 1'000'000 * burst / (burst + 1);
    if (burst == 1 || *read_scalar(rate.text, UnitKind::share).value <= most) return;
    report_.error(rate.place,
                  where_ + ".loss: bursts of " + std::to_string(burst) + " on average lose at most " +
                      print_scalar(most, UnitKind::share) + ", not " + rate.text,
                  "make the bursts longer");
  }

  static std::string target_text(const Value& fault) {
    const Entry* kind = kind_of(fault);
    const Value* target = kind == nullptr ? nullptr : kind->value.find("target");
    return target != nullptr && target->is_scalar() ? target->text : std::string{};
  }

  // Two of process faults on one named process at one time: the second finds it down.
  void check_overlap(const Value& fault, std::size_t index) {
    const std::string target = target_text(fault);
    if (!(target.starts_with("broker-") || target.starts_with("controller-") ||
          target.starts_with("client(")) ||
        !takes_down(fault))
      return;
    const Value& faults = root_.at("faults");
    for (std::size_t i = 0; i < faults.items.size(); ++i) {
      const Value& other = faults.items[i];
      if (i == index || target_text(other) != target || !takes_down(other) || fault.at("at").invented ||
          other.at("at").invented)
        continue;
      const std::int64_t at = nanoseconds_of(fault.at("at"));
      const std::int64_t from = nanoseconds_of(other.at("at"));
      if (at < from || (at == from && index < i)) continue;
      const Value* lasts = other.find("for");
      if (lasts != nullptr && at >= from + nanoseconds_of(*lasts)) continue;
      report_.warning(fault.at("at").place,
                      where_ + " strikes at " + fault.at("at").text + ", when faults[" + std::to_string(i) +
                          "] has taken " + target + " down" +
                          (lasts == nullptr ? " for good"
                                            : " until " + print_scalar(from + nanoseconds_of(*lasts),
                                                                       UnitKind::duration)) +
                          ": it finds nothing to do there");
      return;
    }
  }
  static bool takes_down(const Value& fault) {
    return fault.find("kill") != nullptr || fault.find("powerloss") != nullptr ||
           fault.find("wipe") != nullptr || fault.find("stop") != nullptr;
  }

  void give_name(Value& fault, std::size_t index) {
    const Value* name = fault.find("name");
    if (name == nullptr) {
      fault.entries.insert(fault.entries.begin(), Entry{"name", Place{}, scalar(made_up_name(fault))});
      name = &fault.entries.front().value;
    } else if (names_.contains(name->text)) {
      report_.error(
          name->place,
          "faults[" + std::to_string(index) + "]: another fault is called \"" + name->text + "\" too",
          "give each a name of its own");
    }
    names_.insert(name->text);
  }

  // kill-leader-orders-0; a number follows if there is one of that name.
  std::string made_up_name(const Value& fault) const {
    const Entry* kind = kind_of(fault);
    std::string name = kind == nullptr ? "fault" : kind->key;
    if (kind != nullptr && kind->value.is_scalar()) name += "-" + kind->value.text;
    if (kind != nullptr && kind->key == "admin" && !kind->value.entries.empty())
      name = kind->value.entries.front().key;
    const Value* aim = kind == nullptr ? nullptr : aim_of(*kind);
    if (aim != nullptr) name += "-" + first_of(*aim).text;
    std::string plain;
    for (const char c : name) {
      const bool word =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
      if (word) {
        plain += c;
      } else if (!plain.empty() && plain.back() != '-') {
        plain += '-';
      }
    }
    while (plain.back() == '-') plain.pop_back();
    plain = plain.substr(0, 56);
    std::string unique = plain;
    for (int number = 2; is_taken(unique); ++number) unique = plain + "-" + std::to_string(number);
    return unique;
  }
  bool is_taken(const std::string& name) const {
    if (names_.contains(name)) return true;
    const std::vector<std::string> given = fault_names(root_);
    return std::find(given.begin(), given.end(), name) != given.end();
  }

  Value& root_;
  Report& report_;
  std::string where_;
  std::map<std::string, std::int64_t, std::less<>> topics_;  // to their number of partitions
  std::map<std::string, std::int64_t, std::less<>>
      before_;  // of those that get more partitions: how many they have at first
  FixedNames fixed_names_;
  std::int64_t strikes_at_ = 0;  // the fault that is being looked at
  std::vector<std::string> clients_;
  std::vector<std::string> groups_;
  std::set<std::string> names_;
};

}  // namespace

void validate_faults(Value& root, Report& report) {
  Faults(root, report).check();
}

std::vector<Entry> deployed_clients(const Value& root, const Value& deploy) {
  std::vector<Entry> clients;
  const Value& target = deploy.at("target");
  std::vector<std::string> texts;
  if (target.is_scalar()) texts.push_back(target.text);
  for (const Value& item : target.items) texts.push_back(item.text);
  for (const std::string& text : texts) {
    const ReadTarget read = read_target(text);
    const auto* named = read.target ? std::get_if<fault::ClientTarget>(&*read.target) : nullptr;
    const Value* before = named == nullptr ? nullptr : root.at("clients").find(named->name);
    const auto is_it = [named](const Entry& one) { return one.key == named->name; };
    if (before == nullptr || std::any_of(clients.begin(), clients.end(), is_it)) continue;
    Entry client{named->name, Place{}, *before};
    for (const Entry& entry : deploy.at("config").entries)
      client.value.find("config")->set(entry.key, entry.value);
    if (const Value* service = deploy.find("service")) client.value.set("service", *service);
    clients.push_back(std::move(client));
  }
  return clients;
}

std::vector<std::string> fault_names(const Value& root) {
  std::vector<std::string> names;
  const Value* faults = root.find("faults");
  if (faults == nullptr) return names;
  for (const Value& fault : faults->items) {
    if (const Value* name = fault.find("name")) names.push_back(name->text);
  }
  return names;
}

}  // namespace sim::scenario
