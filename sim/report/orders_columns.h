#pragma once

#include <array>

// The columns of orders.csv, for who writes the file and who reads it.
namespace sim::report {

inline constexpr auto kOrderColumns = std::to_array<const char*>({
    // clang-format off
    "flow", "order", "key", "value_bytes", "warmup", "outcome", "error",
    "intended_ns", "accepted_ns", "batched_ns", "sent_ns", "received_ns", "dequeued_ns", "appended_ns",
    "high_watermark_ns", "acknowledged_ns", "failed_ns", "ended_ns",
    "topic", "partition", "offset", "leader", "isr", "batch_records", "retries",
    // clang-format on
});

// Then these for each service, behind its name and an underscore.
inline constexpr auto kServiceColumns = std::to_array<const char*>(
    {"fetched_ns", "started_ns", "done_ns", "committed_ns", "member", "times", "lost"});

}  // namespace sim::report
