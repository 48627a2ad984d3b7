#include "check/invariant_names.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "check/invariants.h"

namespace sim::check {

namespace {

struct Row {
  std::string_view name;
  std::string_view meaning;
};

constexpr Row kRows[] = {
    {"one-leader-per-epoch", "At most one broker leads a partition in one leader epoch."},
    {"high-watermark-monotone",
     "In one leader epoch the high watermark never falls, nor passes the log's end."},
    {"one-batch-per-offset", "In one leader epoch no offset is appended twice."},
    {"read-below-high-watermark", "A consumer never gets a record that was not below the high watermark."},
    {"acked-below-high-watermark",
     "What a producer with acks=all hears as written is below the high watermark."},
    {"commit-within-log", "A committed offset never lies beyond the end of the log."},
    {"isr-known", "An ISR is never empty, names brokers that exist, each once, its leader among them."},
    {"stages-in-order",
     "An order is placed, accepted, drained, appended, polled, started, done in this order."},
    // of replicas
    {"acked-never-lost", "What was acknowledged with acks=all is in the log of every later leader."},
    {"replicas-agree", "No two replicas differ below both their high watermarks."},
    {"exposed-never-changes", "An offset that could be read once never shows another record."},
    {"high-watermark-covered",
     "Every member of the maximal ISR holds all below its leader's high watermark."},
    {"high-watermark-min-isr", "The high watermark stands still while the ISR is below min.insync.replicas."},
    {"high-watermark-within-log", "A follower's high watermark never passes the end of its log."},
    // of transactions
    {"transaction-all-or-nothing",
     "What is written in one transaction, records and offsets, is committed in all partitions or in none, "
     "and as "
     "its client was told."},
    {"read-committed-only",
     "A read_committed consumer gets nothing of a transaction that is open or aborted."},
    {"fenced-never-writes",
     "In no partition a batch of an older producer epoch follows a batch or marker of a newer one."},
    // of the quorum
    {"single-leader", "At most one controller leads in a quorum epoch."},
    {"one-vote-per-epoch", "A controller votes for at most one candidate in an epoch, restarts included."},
    {"epochs-never-fall", "A node's quorum epoch never falls, restarts included."},
    {"log-matching", "Metadata logs that share an offset and its epoch share all before."},
    {"committed-never-changed", "Every node commits the same metadata record at an offset, for ever."},
    {"committed-never-lost", "A new leader of the quorum has all that was committed."},
    {"quorum-high-watermark",
     "The quorum's high watermark never falls, neither a node's nor that of the latest leader."},
    {"high-watermark-own-epoch",
     "The high watermark of the quorum's leader is above the first record of its epoch."},
    {"majority-high-watermark",
     "A majority of the voters hold all below the high watermark of the quorum's leader."},
    // of the metadata
    {"images-agree", "Metadata images of the same offset are equal, on every server."},
    {"partition-epochs", "A partition's epochs never fall; the leader epoch rises when its leader changes."},
    {"partition-leader",
     "A partition's leader is in its ISR; the ISR is among its replicas and shares nobody with the ELR."},
    {"maximal-isr", "The leader's maximal ISR contains the controller's ISR (KIP-497)."},
    {"one-active-controller", "In one quorum epoch only one controller is active."},
    {"fenced-leads-nothing", "A broker that was fenced leads no partition."},
    // of groups
    {"one-owner-per-partition",
     "By its coordinator's record no two members of a KIP-848 group own a partition at once."},
    {"member-epoch-bounded", "No member of a KIP-848 group is in an epoch above its group's."},
};

}  // namespace

const std::vector<std::string>& known_invariants() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Row& row : kRows) all.emplace_back(row.name);
    return all;
  }();
  return names;
}

std::string_view invariant_meaning(std::string_view name) {
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [name](const Row& each) { return each.name == name; });
  return row == std::end(kRows) ? std::string_view{} : row->meaning;
}

}  // namespace sim::check
