#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/clients.h"
#include "scenario/property_values.h"
#include "scenario/read_values.h"
#include "scenario/suggest.h"
#include "scenario/units.h"
#include "scenario/validate.h"

namespace sim::scenario {

namespace {

bool given(const Value& value) {
  return value.place.source >= 0;
}

class Clients {
 public:
  Clients(Value& root, Report& report) : root_(root), report_(report) {}

  void check() {
    for (Entry& client : root_.find("clients")->entries) {
      check_rack(client);
      check_start(client);
      if (places_orders(client.value)) check_producer(client);
      if (sends_on(client.value)) check_onward(client);
      if (client.value.find("produces") != nullptr) check_transactions(client);
      if (client.value.find("consumes") != nullptr) check_consumer(client);
    }
  }

 private:
  std::string where(const Entry& client, std::string_view key) const {
    return "clients." + client.key + "." + std::string(key);
  }

  const Value& server() const { return root_.at("cluster").at("config"); }
  bool auto_create() const { return server().at("auto.create.topics.enable").text == "true"; }
  const Value* listed(std::string_view topic) const { return root_.at("topics").find(topic); }

  std::vector<std::string_view> listed_topics() const {
    std::vector<std::string_view> names;
    for (const Entry& topic : root_.at("topics").entries) names.push_back(topic.key);
    return names;
  }

  // By an operator, in mid-run.
  bool created_later(std::string_view topic) const {
    const Value* faults = root_.find("faults");
    if (faults == nullptr) return false;
    for (const Value& fault : faults->items) {
      const Value* admin = fault.find("admin");
      const Value* create = admin == nullptr ? nullptr : admin->find("create-topic");
      if (create != nullptr && create->at("topic").text == topic) return true;
    }
    return false;
  }

  bool produced(std::string_view topic) const {
    for (const Entry& client : root_.at("clients").entries) {
      const Value* produces = client.value.find("produces");
      if (produces != nullptr && produces->text == topic) return true;
    }
    return false;
  }

  void check_rack(const Entry& client) {
    const Value* rack = client.value.find("rack");
    if (rack == nullptr) return;
    std::vector<std::string_view> racks;
    for (const Value& known : root_.at("cluster").at("racks").items) {
      if (known.text == rack->text) return;
      racks.push_back(known.text);
    }
    report_.error(rack->place,
                  where(client, "rack") + ": there is no rack \"" + rack->text + "\" in cluster.racks",
                  did_you_mean_rack(rack->text, racks));
  }

  void check_start(const Entry& client) {
    const Value* start = client.value.find("start");
    const Value& duration = root_.at("duration");
    if (start == nullptr || duration.invented) return;
    if (number_of(*start, UnitKind::duration) < number_of(duration, UnitKind::duration)) return;
    report_.error(given(*start) ? start->place : client.key_place,
                  where(client, "start") + " (" + start->text +
                      ") must lie before the end of the scenario (duration " + duration.text + ")");
  }

  void check_internal(const Value& topic) {
    if (topic.text.starts_with("__"))
      report_.error(topic.place, topic.text + " is an internal topic of Kafka");
  }

  void check_producer(const Entry& client) {
    const Value& topic = client.value.at("produces");
    check_topic(topic);
    check_sizes(client);
    check_arrivals(client);
  }

  void check_topic(const Value& topic) {
    check_internal(topic);
    if (listed(topic.text) != nullptr || created_later(topic.text)) return;
    const std::string hint = did_you_mean(topic.text, listed_topics());
    if (!auto_create()) {
      report_.error(topic.place,
                    "topic \"" + topic.text + "\" is not listed, and auto.create.topics.enable is false",
                    hint);
      return;
    }
    check_auto_created(topic);
    if (!hint.empty())
      report_.warning(topic.place, "topic \"" + topic.text + "\" is not listed: the cluster will create it",
                      hint);
  }

  void check_onward(const Entry& client) {
    const Value& topic = client.value.at("produces");
    check_topic(topic);
    constexpr std::size_t kMostThatSendOn = 127;  // so many hops fit into the number of a record
    const auto& all = root_.at("clients").entries;
    if (std::count_if(all.begin(), all.end(), [](const Entry& one) { return sends_on(one.value); }) >
        static_cast<std::ptrdiff_t>(kMostThatSendOn))
      report_.error(topic.place, "at most 127 services can send on what they handle");
    if (reaches(topic.text, client.value.at("consumes").text))
      report_.error(topic.place, "clients." + client.key + " produces to " + topic.text +
                                     ", and that leads back to what it consumes: an order would never end");
  }

  // Whether what is in a topic is sent on, by however many services, to another.
  bool reaches(const std::string& from, const std::string& to) const {
    std::vector<std::string> topics{from};
    for (std::size_t i = 0; i < topics.size(); ++i) {
      if (topics[i] == to) return true;
      for (const Entry& client : root_.at("clients").entries) {
        if (!sends_on(client.value) || client.value.at("consumes").text != topics[i]) continue;
        const std::string& next = client.value.at("produces").text;
        if (std::find(topics.begin(), topics.end(), next) == topics.end()) topics.push_back(next);
      }
    }
    return false;
  }

  void check_transactions(Entry& client) {
    const bool is_service = sends_on(client.value);
    const char* section = is_service ? "producer.config" : "config";
    Value& config = *client.value.find(section);
    const Value* id = client.value.find("transactional.id");
    const Value* property = config.find("transactional.id");
    if (property != nullptr && property->text != "null") {
      if (id == nullptr) {
        report_.error(property->place,
                      where(client, section) + ": a transactional.id stands beside " + section,
                      "write transactional.id: " + property->text + " one level above");
      } else if (property->text != id->text) {
        report_.error(property->place, where(client, section) + ": transactional.id is \"" + property->text +
                                           "\" here and \"" + id->text + "\" in " +
                                           where(client, "transactional.id"));
      }
    }
    if (id != nullptr && given(*id)) check_transactional(client, *id, config);
    if (is_service) check_transactional_commit(client, id);
    const Value* transaction = client.value.find("transaction");
    const Value* orders = transaction == nullptr ? nullptr : transaction->find("orders");
    if (is_service && orders != nullptr)
      report_.error(orders->place,
                    where(client, "transaction") +
                        ".orders is an order service's: a service's "
                        "transaction holds what a poll returns",
                    "set max.poll.records in config");
  }

  void check_transactional(const Entry& client, const Value& id, const Value& config) {
    if (id.text.empty()) {
      report_.error(id.place, where(client, "transactional.id") +
                                  " is empty, and a transaction coordinator "
                                  "refuses that (INVALID_REQUEST)");
    }
    // ProducerConfig: looked at once it is known whether it is idempotent.
    if (config.at("enable.idempotence").text != "true") {
      const Value& acks = config.at("acks");
      const Value& asked = config.at("enable.idempotence");
      report_.error(given(asked)  ? asked.place
                    : given(acks) ? acks.place
                                  : id.place,
                    where(client, "transactional.id") + " (" + id.text +
                        ") needs the idempotent producer: a transactional.id cannot be set without it",
                    "leave acks at all, retries above 0 and enable.idempotence at true");
    }
    const Value& timeout = config.at("transaction.timeout.ms");
    const Value& most = server().at("transaction.max.timeout.ms");
    if (number_of(timeout, UnitKind::none) > number_of(most, UnitKind::none)) {
      report_.error(given(timeout) ? timeout.place : id.place,
                    where(client, "transaction.timeout.ms") + " (" + timeout.text +
                        ") is above transaction.max.timeout.ms of the brokers (" + most.text +
                        "), which refuse it (INVALID_TRANSACTION_TIMEOUT)");
    }
  }

  void check_transactional_commit(const Entry& client, const Value* id) {
    const Value& commit = client.value.at("commit");
    if ((commit.text == "transaction") == (id != nullptr)) return;
    if (id == nullptr) {
      report_.error(commit.place, where(client, "commit") + ": a transaction needs a transactional.id",
                    "such as transactional.id: " + client.key);
    } else {
      report_.error(id->place,
                    where(client, "transactional.id") + " is given, and " + where(client, "commit") + " is " +
                        commit.text,
                    "write commit: transaction");
    }
  }

  void check_auto_created(const Value& topic) {
    const Value& factor = server().at("default.replication.factor");
    const Value& brokers = root_.at("cluster").at("brokers");
    if (brokers.invented || number_of(factor, UnitKind::none) <= number_of(brokers, UnitKind::none)) return;
    report_.error(given(factor) ? factor.place : topic.place,
                  "topic " + topic.text + " would be created with " + factor.text +
                      " replicas (default.replication.factor), and there are only " + brokers.text +
                      " brokers");
  }

  void check_sizes(const Entry& client) {
    const Value& size = client.value.at("record.size");
    const Value& config = client.value.at("config");
    if (!size.is_scalar()) return;
    const Value& most = config.at("max.request.size");
    if (number_of(size, UnitKind::size) < number_of(most, UnitKind::none)) return;
    report_.warning(given(size) ? size.place : client.key_place,
                    where(client, "record.size") + " (" + size.text +
                        ") does not fit into max.request.size (" + most.text +
                        " bytes): every order will fail");
  }

  void check_arrivals(const Entry& client) {
    const Value& arrivals = client.value.at("arrivals");
    const std::string here = where(client, "arrivals");
    if (const Value* burst = arrivals.find("burst");
        burst != nullptr && complete_map(*burst, {"every", "length"})) {
      if (number_of(burst->at("length"), UnitKind::duration) >
          number_of(burst->at("every"), UnitKind::duration)) {
        report_.error(burst->at("length").place,
                      here + ".burst: a burst (length " + burst->at("length").text +
                          ") must end before the next begins (every " + burst->at("every").text + ")");
      }
    }
    if (const Value* daily = arrivals.find("daily");
        daily != nullptr && complete_map(*daily, {"low", "high"})) {
      if (number_of(daily->at("low"), UnitKind::rate) > number_of(daily->at("high"), UnitKind::rate)) {
        report_.error(daily->at("low").place, here + ".daily: low (" + daily->at("low").text +
                                                  ") must not be above high (" + daily->at("high").text +
                                                  ")");
      }
      if (number_of(daily->at("peak.at"), UnitKind::duration) >=
          number_of(daily->at("day"), UnitKind::duration)) {
        report_.error(daily->at("peak.at").place, here + ".daily: peak.at (" + daily->at("peak.at").text +
                                                      ") must lie within the day (" + daily->at("day").text +
                                                      ")");
      }
    }
    if (const Value* ramp = arrivals.find("ramp"); ramp != nullptr && complete_map(*ramp, {"from", "to"})) {
      if (number_of(ramp->at("from"), UnitKind::rate) == 0 &&
          number_of(ramp->at("to"), UnitKind::rate) == 0) {
        report_.error(ramp->place, here + ".ramp: from and to are both 0: no order would ever come");
      }
    }
  }

  // Whether these were all given and right; otherwise that has been reported.
  static bool complete_map(const Value& map, const std::vector<std::string_view>& keys) {
    for (const std::string_view key : keys) {
      const Value* value = map.find(key);
      if (value == nullptr || value->invented) return false;
    }
    return true;
  }

  void check_consumer(Entry& client) {
    const Value& topic = client.value.at("consumes");
    check_internal(topic);
    const Value* known = listed(topic.text);
    if (known == nullptr && !produced(topic.text) && !created_later(topic.text)) {
      std::vector<std::string_view> names = listed_topics();
      for (const Entry& other : root_.at("clients").entries) {
        if (const Value* produces = other.value.find("produces")) names.push_back(produces->text);
      }
      report_.error(topic.place, "topic \"" + topic.text + "\" is neither listed nor produced by a client",
                    did_you_mean(topic.text, names));
    }
    const Value& members = client.value.at("members");
    if (known != nullptr &&
        number_of(members, UnitKind::none) > number_of(known->at("partitions"), UnitKind::none)) {
      report_.warning(members.place, "clients." + client.key + " has " + members.text + " members for " +
                                         known->at("partitions").text + " partitions of " + topic.text +
                                         ": some will be idle");
    }
    check_group(client);
    check_session(client);
    check_workers(client);
    check_commit(client);
  }

  void check_group(Entry& client) {
    const Value& group = client.value.at("group.id");
    Value& config = *client.value.find("config");
    const Value* property = config.find("group.id");
    if (property != nullptr && property->text != group.text) {
      report_.error(property->place, where(client, "config") + ": group.id is \"" + property->text +
                                         "\" here and \"" + group.text + "\" in " +
                                         where(client, "group.id"));
    }
    remove_property(config, "group.id");
    if (group.text.empty()) {
      return report_.error(given(group) ? group.place : client.key_place,
                           where(client, "group.id") +
                               " is empty, and the coordinator refuses such a group "
                               "(INVALID_GROUP_ID)");
    }
    const auto [first, is_new] = groups_.emplace(group.text, client.key);
    if (!is_new) {
      report_.error(given(group) ? group.place : client.key_place,
                    "group \"" + group.text + "\" belongs to " + first->second + " already",
                    "each service is a group of its own: all of them get every order");
    }
  }

  // The coordinator refuses such a member with INVALID_SESSION_TIMEOUT, for good.
  void check_session(const Entry& client) {
    // With the protocol of KIP-848 the brokers say how long it is.
    if (client.value.at("config").at("group.protocol").text == "consumer") return;
    const Value& session = client.value.at("config").at("session.timeout.ms");
    const Value& least = server().at("group.min.session.timeout.ms");
    const Value& most = server().at("group.max.session.timeout.ms");
    const std::int64_t ms = number_of(session, UnitKind::none);
    if (ms >= number_of(least, UnitKind::none) && ms <= number_of(most, UnitKind::none)) return;
    report_.error(given(session) ? session.place : client.key_place,
                  where(client, "config") + ": session.timeout.ms (" + session.text +
                      ") must lie within group.min.session.timeout.ms (" + least.text +
                      ") and group.max.session.timeout.ms (" + most.text + ") of the brokers");
  }

  // A pool hands orders out before it knows of any that is done.
  void check_workers(const Entry& client) {
    const Value& commit = client.value.at("commit");
    if (number_of(client.value.at("workers"), UnitKind::none) < 2) return;
    if (commit.text == "auto" || commit.text == "after-batch") return;
    report_.error(given(commit) ? commit.place : client.key_place,
                  where(client, "commit") + ": " + commit.text + " is for a member with one worker",
                  "say auto or after-batch, or leave workers out");
  }

  void check_commit(Entry& client) {
    Value& config = *client.value.find("config");
    const Value& commit = client.value.at("commit");
    if (commit.text == "transaction" && !sends_on(client.value)) {
      report_.error(commit.place,
                    where(client, "commit") + ": a transaction is of a producer, and " + client.key +
                        " produces nothing",
                    "such as produces: payments");
    }
    const Value* property = config.find("enable.auto.commit");
    if (property == nullptr) return;  // it has been looked at
    if (given(*property) && (property->text == "true") != (commit.text == "auto")) {
      report_.error(property->place,
                    where(client, "config") + ": enable.auto.commit is " + property->text + ", and " +
                        where(client, "commit") + " is " + commit.text,
                    given(commit) ? "leave enable.auto.commit out"
                                  : "say when offsets are committed, such as commit: after-batch");
    }
    remove_property(config, "enable.auto.commit");
  }

  Value& root_;
  Report& report_;
  std::map<std::string, std::string> groups_;  // to the client
};

}  // namespace

void validate_clients(Value& root, Report& report) {
  Clients(root, report).check();
}

}  // namespace sim::scenario
