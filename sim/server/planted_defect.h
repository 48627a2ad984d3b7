#pragma once

#include <cstdint>

namespace sim::server {

// Mistakes that can be planted in the replication of partitions, in transactions and in groups of KIP-848, to
// prove that the invariants catch them. For tests alone: no scenario can ask for one.
enum class PlantedDefect : std::uint8_t {
  none,
  acknowledges_at_once,            // acks=all is answered when the leader has appended
  high_watermark_ignores_joiner,   // a pending joiner of the ISR does not hold it back
  high_watermark_ignores_slowest,  // it is where the fastest follower is, not the slowest
  high_watermark_falls,            // it follows the followers down as well
  high_watermark_at_election,      // a new leader takes its log's end for committed
  high_watermark_not_clamped,      // a follower takes its leader's, whatever it holds itself
  min_isr_not_checked,             // neither at the append nor by the high watermark
  shrinks_before_committed,        // who is proposed to leave the ISR is not waited for any more
  joins_behind,                    // a follower joins the ISR wherever it is
  counts_what_was_sent,            // a fetch counts as holding what is sent in answer to it
  divergence_not_checked,          // a follower does not say in which epoch its log ends
  serves_beyond_high_watermark,    // consumers get all of the log
  hands_out_unreleased,            // a group's partition goes to its next owner while the last still has it
  member_passes_group,             // a member that moves on is put into the epoch after the group's
  clean_shutdown_marked_early,     // the mark of an orderly end is written while the broker still works
  // ---- Transactions
  transaction_marker_lost,       // the coordinator counts a marker as written when it has sent it
  stable_offset_ignores_open,    // an open transaction does not hold back the last stable offset
  aborted_transactions_omitted,  // a read_committed fetch is not told what was aborted
  late_marker_accepted,          // of an older producer or coordinator epoch
  verification_skipped,          // a leader takes a transaction's first batch without asking the coordinator
  pending_offsets_exposed,       // offsets of an open transaction are told as committed
};

}  // namespace sim::server
