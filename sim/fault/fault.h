#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/distribution.h"
#include "base/time.h"
#include "protocol/admin_requests.h"
#include "protocol/ids.h"

// What goes wrong in a scenario, and when, as values. Whom a role means is found out at the instant at which
// the fault strikes; how a fault is carried out is the host's affair.
namespace sim::fault {

// ---- Whom it hits

struct BrokerTarget {
  NodeId id;
};
struct ControllerTarget {
  NodeId id;  // in the quorum
};
struct RackTarget {  // every process on the rack's machines
  std::string rack;
};
struct ActiveController {};
// The metadata log has a leader, the active controller, and followers, the other voters.
inline constexpr const char* kMetadataTopic = "__cluster_metadata";

struct LeaderOf {
  std::string topic;
  std::int32_t partition = 0;
};
struct FollowerOf {  // replicas other than the leader, in the order of the assignment, from 1
  std::string topic;
  std::int32_t partition = 0;
  std::int32_t ordinal = 1;
};
struct CoordinatorOf {
  std::string group;  // group.id, or the service that is the group
};
struct ClientTarget {
  std::string name;                      // order-service, payment, ...
  std::optional<std::int32_t> member{};  // all members without it
};
enum class Pool : std::uint8_t { brokers, controllers, clients };
struct AllOf {
  Pool pool;
};
struct RandomOf {  // drawn from the fault's own stream, of those that are up
  Pool pool;
  std::int32_t count = 1;
};
struct FixedTarget {  // whoever played a role at an instant of its own (Fixed)
  std::string name;
};
using Target = std::variant<BrokerTarget, ControllerTarget, RackTarget, ActiveController, LeaderOf,
                            FollowerOf, CoordinatorOf, ClientTarget, AllOf, RandomOf, FixedTarget>;
using Targets = std::vector<Target>;

// A name for whoever a target means at an instant, so that several faults can hit the same processes whatever
// becomes of their roles meanwhile.
struct Fixed {
  std::string name;  // unique in its scenario
  Target target;     // not itself a FixedTarget
  Instant at{};
};

// ---- What happens

struct Kill {  // the operating system keeps its page cache and resets its connections
  Targets targets;
};
enum class Tail : std::uint8_t { lost, torn };
struct PowerLoss {  // of the machine: what was not flushed is lost, and nobody is told
  Targets targets;
  // torn: a random part of what each log had not flushed is on its disk all the same, up to the middle of a
  // batch.
  Tail tail = Tail::lost;
};
struct Wipe {  // killed; the disks are replaced by empty ones, with directory ids of their own
  Targets targets;
};
struct Stop {  // SIGTERM: a controlled shutdown, a leaving consumer
  Targets targets;
  // They start again so long after the last of them has exited; then that is the fault's end, and not `for`.
  std::optional<Duration> down{};
};
struct Restart {  // a clean stop, then at once a new start, with which it is over; what is down is only
                  // started
  Targets targets;
};
struct Deploy {  // as Restart, and the new processes of the clients have other settings (cluster::Deployment)
  Targets targets;
};
struct Pause {  // SIGSTOP, a long garbage collection: timers are due, nothing is sent, bytes queue in the
                // sockets
  Targets targets;
};

enum class Direction : std::uint8_t { both, to, from };  // as seen from the targets
struct Isolate {                                         // from `peers` (nobody named: from everybody else)
  Targets targets;
  Targets peers{};
};
struct Groups {  // each hears only itself; who is in two hears both, who is in none hears everybody
  std::vector<Targets> groups;
};
struct Halves {};          // the servers, split in two at random, clients with the half that is not smaller
struct MajoritiesRing {};  // every server hears a majority, no two the same (Jepsen's majorities-ring)
struct Bridge {};   // as halves, but for one server of the middle that both halves hear (Jepsen's bridge)
struct Partition {  // bytes are lost, connections stay open until somebody's time is over
  std::variant<Isolate, Groups, Halves, MajoritiesRing, Bridge> shape;
  Direction direction = Direction::both;  // of Isolate
};

// Of messages between the targets and `peers` (nobody named: everybody).
struct Wires {
  Targets targets;
  Targets peers;
  Direction direction = Direction::both;
};
struct Delay {  // in addition to what the link takes
  Wires wires;
  Distribution by = Distribution::constant(0);  // ns
  std::int64_t jitter = 0;                      // ns: evenly from so much less to so much more
  // How much each draw resembles the one before it on the same way between two machines (netem's
  // correlation).
  std::int32_t correlation_per_million = 0;
};
struct Loss {  // of segments; TCP sends them again: the message arrives late by its retransmission time-outs
  Wires wires;
  std::int32_t per_million = 0;
  std::int32_t mean_burst =
      1;  // how many in a row on one way are lost, on average (a Gilbert model); 1: independently
};
struct Bandwidth {  // of the ways between targets and peers, each together, below what cards and links give
  Wires wires;
  std::int64_t bits_per_second = 0;
};
struct Reset {  // every connection between them breaks at once (RST), and both ends are told
  Wires wires;
};
enum class HeldSide : std::uint8_t { requests, replies };
// Messages of one kind stay in the sender's socket until the fault ends, and what follows them on their
// connection: TCP keeps the order.
struct Hold {
  Wires wires;
  std::string request;  // Kafka's name without "Request": AlterPartition, BrokerHeartbeat, Fetch, ...
  HeldSide side = HeldSide::requests;
  // Only those that name the partition. An incremental fetch request names what has changed since the last
  // one, and a fetch response what there is something to tell of (KIP-227).
  std::optional<NamedPartition> partition{};
  std::int64_t count = kNoLimit;        // the first so many only
  std::int64_t connections = kNoLimit;  // on the first so many connections only

  static constexpr std::int64_t kNoLimit = -1;
};
struct TimeOffset {  // the wall clock of the machines is off by so much while it lasts, then set right
  Targets targets;
  Duration by{};
};
struct Drift {  // their clocks run fast (positive) or slow; at the end the wall clock is set right
  Targets targets;
  std::int64_t ppm = 0;
};

// ---- To what a server runs on. A directory is given by its place in log.dirs, from 0; none: all of them.

struct IoDelay {  // writes and flushes take `factor` times as long, and `by` on top of that
  Targets targets;
  std::int64_t factor = 1;
  Distribution by = Distribution::constant(0);  // ns
  std::optional<std::int32_t> directory{};
};
struct IoError {  // nothing can be written or flushed, nor the directory be opened by who starts
  Targets targets;
  std::optional<std::int32_t> directory{};
};
struct DiskFull {  // nothing can be appended
  Targets targets;
  std::optional<std::int32_t> directory{};
};
struct SlowCpu {  // threads take `factor` times as long for what they do
  Targets targets;
  std::int64_t factor = 1;
};

// ---- What an operator does, with an admin client on a machine of its own. It is over when that has its
// answer.

struct Admin {
  AdminAction action;
};

using Kind =
    std::variant<Kill, PowerLoss, Wipe, Stop, Restart, Pause, Partition, Delay, Loss, Hold, Bandwidth, Reset,
                 IoDelay, IoError, DiskFull, SlowCpu, TimeOffset, Drift, Admin, Deploy>;

// ---- When

// Something that happens.
struct Moment {
  enum class What : std::uint8_t {
    append,             // a leader has written a batch: it is neither flushed nor acknowledged
    isr_change,         // a leader has learnt of its new in-sync replicas
    leader_change,      // a broker has become the leader
    rebalance,          // a group has begun one
    controller_change,  // a controller has become active
  };
  What what = What::append;
  std::string of{};                         // a topic or a group; empty: any
  std::optional<std::int32_t> partition{};  // of the topic; none: any
};
// Something that grows, above a limit.
struct Threshold {
  enum class What : std::uint8_t { lag, lag_offsets };
  What what = What::lag;
  std::string group;       // group.id, or the service that is the group
  std::int64_t limit = 0;  // ns, or records
};
using Condition = std::variant<Moment, Threshold>;

struct Fault {
  std::string name;  // unique in its scenario
  Kind kind;
  Instant at{};                     // strikes first; with `when`: waits for it from then on
  std::optional<Duration> every{};  // and again, until the load ends; not while it still lasts
  // `for`; then it is undone: restarted, resumed, healed. nullopt: never. Restart and Deploy have an end of
  // their own.
  std::optional<Duration> lasts{};
  std::optional<Condition> when{};  // strikes at the first instant at which this holds
  std::optional<Duration> waits{};  // no longer than this; none: for as long as it takes
  bool may_miss = false;            // a run in which it did nothing may be conclusive all the same
};

using Schedule = std::vector<Fault>;  // by FaultId

// The word of the scenario: "kill", "partition", ...
const char* word(const Kind& kind);

}  // namespace sim::fault
