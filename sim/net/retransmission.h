#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

// When TCP sends again what was not acknowledged, as Linux does with its defaults: the round trip as it was
// measured, and on top of it what it may vary by, which is at least TCP_RTO_MIN and here never more; doubled
// each time (RFC 6298).
namespace sim::net {

inline constexpr Duration kFirstRetransmission = 200ms;  // TCP_RTO_MIN; to be added to the round trip
inline constexpr Duration kMaxRetransmission = 120s;     // TCP_RTO_MAX
inline constexpr Duration kFirstSynRetransmission = 1s;  // TCP_TIMEOUT_INIT

inline constexpr int kRetransmissions = 15;  // net.ipv4.tcp_retries2: then the connection is given up
inline constexpr int kOrphanRetransmissions =
    8;                                         // of a socket that its process has closed (tcp_orphan_retries)
inline constexpr int kSynRetransmissions = 6;  // net.ipv4.tcp_syn_retries

// How long is waited after the `nth` sending, from 0.
constexpr Duration retransmission_timeout(int nth, Duration first = kFirstRetransmission) {
  return std::min(kMaxRetransmission, first * (std::int64_t{1} << std::min(nth, 20)));
}

}  // namespace sim::net
