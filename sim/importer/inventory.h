#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// What the files of people say about their cluster, before it becomes a scenario.
//
// Ids are those of the files (brokers may be 101, 102, ...); scenario_text.h numbers them from 1. Whatever
// was read and has no place here is in `left_out`: nothing is dropped in silence.
namespace sim::importer {

// Where something was written. Lines count from 1; 0 = the file as a whole.
struct Origin {
  std::string file;
  int line = 0;
};

struct LeftOut {
  Origin origin;
  std::string what;    // as it was written, passwords hidden
  std::string reason;  // why it is not in the scenario
};

// A property with a value that Kafka takes and that has an effect here.
struct Setting {
  std::string name;
  std::string value;
  Origin origin;
};

struct Server {
  Origin origin;
  std::optional<int> id;
  bool is_broker = true;
  bool is_controller = false;
  std::string rack;  // empty: not said
  std::vector<Setting> settings;
};

struct Topic {
  Origin origin;
  int partitions = 0;                        // 0: not said
  int replication_factor = 0;                // 0: not said
  std::map<int, std::vector<int>> replicas;  // broker ids by partition, the preferred leader first
  std::vector<Setting> settings;
};

// What a group reads of one topic.
struct GroupTopic {
  std::set<std::string> members;                // that have partitions of it
  std::map<int, std::int64_t> log_end_offsets;  // by partition
  std::int64_t lag = 0;                         // of all its partitions together
  int partitions = 0;                           // the highest number seen, plus one
};

struct Group {
  Origin origin;
  std::optional<int> members;          // 0: it had none when it was described
  std::string assignor;                // range, cooperative-sticky, uniform, ...; empty: not said
  bool has_consumer_protocol = false;  // KIP-848
  bool has_static_members = false;
  std::map<std::string, GroupTopic> topics;
  std::vector<Setting> settings;  // of its consumers
  std::string commit;             // as clients.<name>.commit; empty: not said
};

struct Producer {
  Origin origin;
  std::string name;
  std::string topic;  // empty: not said
  std::vector<Setting> settings;
};

struct Inventory {
  std::vector<Server> servers;
  std::optional<int> voters;  // of the metadata quorum, as properties list them
  std::set<int> broker_ids;   // seen in the descriptions of topics
  std::string kafka;          // a release that is played; empty: not said
  Origin kafka_origin;
  std::map<std::string, Topic> topics;
  std::map<std::string, Group> groups;
  std::vector<Producer> producers;
  std::vector<LeftOut> left_out;

  void leave_out(Origin origin, std::string what, std::string reason) {
    left_out.push_back(LeftOut{std::move(origin), std::move(what), std::move(reason)});
  }
};

}  // namespace sim::importer
