#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "history/history.h"

// The table of what changed from one release of Kafka to the next: a row per switch of cluster.history, and a
// row per setting whose default changed. The scenario's keys, `explain`, what is built, and what the
// invariants excuse all come from it.
namespace sim::history {

// What Kafka no longer prevents, as the invariants see it. A set.
using Unprevented = std::uint8_t;
inline constexpr Unprevented kNothing = 0;
inline constexpr Unprevented kExposesBelowMinIsr =
    1;  // the high watermark passes whatever min.insync.replicas is
inline constexpr Unprevented kExposesUncovered =
    2;  // a member of the ISR may lack what is below the high watermark
// A voter whose disk was wiped votes on: the quorum may forget what it committed.
inline constexpr Unprevented kForgetsVotes = 4;

// One of the ways in which a switch can stand.
struct Behaviour {
  std::string_view word;         // as a scenario has it
  KafkaVersion since = {};       // the first release that behaves so; of the oldest way {0, 0}
  std::string_view source = {};  // KIP or KAFKA issue
  std::string_view meaning = {};
  // How an acknowledged record that is lost is excused: "no maximal ISR". Empty: it is no excuse.
  std::string_view excuse = {};
  Unprevented unprevented = kNothing;
  void (*apply)(History& history) = nullptr;
  bool (*is_at)(const History& history) = nullptr;
};

struct Switch {
  std::string_view name;  // below cluster.history
  std::string_view meaning;
  std::span<const Behaviour> behaviours;  // the newest first
};

std::span<const Switch> switches();
const Switch* find_switch(std::string_view name);  // null: there is none
// The way of `name` in that release, or the one called `word`. REQUIRES: there is such a switch (and word)
const Behaviour& behaviour_in(const Switch& one, KafkaVersion version);
const Behaviour& behaviour_called(const Switch& one, std::string_view word);

// The releases that are played, divided by |.
inline constexpr std::string_view kAllVersions =
    "4.4|4.3|4.2|4.1|4.0|3.9|3.8|3.7|3.6|3.5|3.4|3.3|3.2|3.1|3.0|2.8|2.7|2.6|2.5|2.4|2.3|2.2|2.1|2.0";

History history_of(KafkaVersion version);

// A setting that had another default before a release.
struct FormerDefault {
  std::string_view name;
  enum class Whose : std::uint8_t { server, producer, consumer } whose;
  KafkaVersion since;       // the first release with today's default
  std::string_view before;  // the default of the releases before it
  std::string_view source;
};
std::span<const FormerDefault> former_defaults();

std::string text_of(KafkaVersion version);          // "3.6"
std::string source_of(const Behaviour& behaviour);  // "KIP-996, Kafka 4.0"

}  // namespace sim::history
