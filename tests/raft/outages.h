#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "raft/world.h"

// The scenarios of Kafka's RaftEventSimulationTest, by the outage that they survive. Each returns whether all
// that is promised after the outage came about.
namespace sim::raft::test {

// What happened in them, so that a test can show that it did.
struct RareThings {
  std::int64_t elections = 0, split_votes = 0, pre_votes_refused = 0, truncations = 0, snapshots_fetched = 0,
               lost_majorities = 0, resets = 0;
  void add(const World& world) {
    const auto& one = world.invariants.counts();
    elections += one.elections;
    split_votes += one.split_votes;
    pre_votes_refused += one.pre_votes_refused;
    truncations += one.truncations;
    snapshots_fetched += one.snapshots_fetched;
    lost_majorities += one.resignations - world.asked_to_resign() - world.shut_downs();  // at least
    resets += world.resets();
  }
};

// What went wrong first.
inline std::string told(const World& world) {
  if (!world.invariants.broken())
    return "stuck at " + std::to_string(millis(world.now().time_since_epoch())) + " ms";
  const auto& first = world.invariants.violations().front();
  return first.invariant + ": " + first.what;
}

inline bool a_cold_start(World& world) {
  return world.run_until([&] { return world.all_reached(10); });
}

inline bool loss_of_the_leader(World& world, Crash how, bool gracefully) {
  if (!a_cold_start(world)) return false;
  if (!world.run_until([&] { return world.leader().has_value(); })) return false;
  const std::size_t old = *world.leader();
  if (gracefully) {
    world.shut_down(old);
    if (!world.run_until([&] { return !world.is_up(old); })) return false;
  } else {
    world.crash(old, how);
  }
  const Offset goal = world.highest() + 10;
  if (!world.run_until([&] { return world.all_reached(goal); })) return false;
  world.restart(old);
  const Offset later = world.highest() + 10;
  return world.run_until([&] { return world.all_reached(later); });
}

inline bool loss_of_everyone(World& world, std::size_t voters, Crash how) {
  if (!a_cold_start(world)) return false;
  const Offset reached = world.highest();
  for (std::size_t i = 0; i < world.size(); ++i) {
    if (world.is_up(i)) world.crash(i, how);
  }
  const std::size_t majority = voters / 2 + 1;
  const std::size_t first = world.rng().below(voters);
  for (std::size_t k = 0; k < majority; ++k) world.restart((first + k) % voters);
  return world.run_until([&] { return world.all_reached(reached + 10); });
}

inline bool isolation_of_the_leader(World& world) {
  if (!a_cold_start(world)) return false;
  if (!world.run_until([&] { return world.leader().has_value(); })) return false;
  const std::size_t old = *world.leader();
  world.isolate(old);
  const Offset goal = world.highest() + 10;
  if (!world.run_until([&] { return world.all_reached(goal, old); })) return false;
  world.heal();
  const Offset later = world.highest() + 10;
  return world.run_until([&] { return world.all_reached(later); });
}

// Of five voters two are cut off, with or without the leader.
inline bool split_with_a_majority(World& world) {
  if (!a_cold_start(world)) return false;
  for (std::size_t a = 0; a < 2; ++a) {
    for (std::size_t b = 2; b < 5; ++b) {
      world.cut(a, b);
      world.cut(b, a);
    }
  }
  const auto side = [&](std::size_t from, std::size_t to) {
    Offset best = 0;
    for (std::size_t i = from; i < to; ++i) best = std::max(best, world.high_watermark(i));
    return best;
  };
  const Offset before = world.highest();
  if (!world.run_until([&] { return side(2, 5) > before + 10 && side(2, 5) > side(0, 2); })) return false;
  world.heal();
  const Offset goal = 2 * world.highest();
  return world.run_until([&] { return world.all_reached(goal); });
}

inline bool isolation_of_two_leaders_in_a_row(World& world) {
  if (!a_cold_start(world)) return false;
  if (!world.run_until([&] { return world.leader().has_value(); })) return false;
  const std::size_t first = *world.leader();
  world.isolate(first);
  if (!world.run_until([&] { return world.leader() && *world.leader() != first; })) return false;
  const std::size_t second = *world.leader();
  world.heal(first);
  world.isolate(second);
  const Offset goal = world.highest() + 10;
  if (!world.run_until([&] { return world.all_reached(goal, second); })) return false;
  world.heal();
  return world.run_until([&] { return world.all_reached(goal + 10); });
}

inline bool loss_of_a_disk(World& world, std::size_t voters) {
  if (!a_cold_start(world)) return false;
  const std::size_t victim = world.rng().below(voters);
  world.invariants.tolerate_loss();
  world.crash(victim, Crash::wipe);
  if (!world.run_until([&] { return world.leader() && *world.leader() != victim; })) return false;
  const Offset goal = world.highest() + 10;
  if (!world.run_until([&] { return world.all_reached(goal); })) return false;
  world.restart(victim);
  const Offset later = world.highest() + 10;
  return world.run_until([&] { return world.all_reached(later); });
}

// The leader is killed; while others try to succeed it, voters come and go.
inline void flaps_in_an_election(World& world, std::size_t voters) {
  if (const auto old = world.leader()) world.crash(*old, Crash::kill);
  const auto is_candidate = [&](std::size_t i) {
    return world.is_up(i) && std::holds_alternative<Candidate>(world.replica(i).role());
  };
  const auto someone_asks = [&] {
    for (std::size_t i = 0; i < voters; ++i) {
      if (is_candidate(i)) return true;
    }
    return false;
  };
  if (!world.run_until(someone_asks, 5'000)) return;
  for (int flap = 0; flap < 6; ++flap) {
    const std::size_t who = world.rng().below(voters);
    if (world.is_up(who)) world.crash(who, Crash::kill);
    world.restart(who);
    const std::int64_t pause_us = world.rng().between(500, 10'000);
    if (!world.run_for(std::chrono::microseconds(pause_us))) return;
  }
}

// Everything at once, in no order: voters and observers killed, without power, cut off in one or both
// directions, resigning, all of them dark in one instant; then all return, and progress is demanded.
inline bool a_turmoil(World& world, std::size_t voters, int blows) {
  Rng& rng = world.rng();
  for (int blow = 0; blow < blows; ++blow) {
    const std::size_t any = rng.below(world.size());
    const std::size_t victim = rng.bernoulli(1, 2) ? world.leader().value_or(any) : any;
    switch (rng.below(9)) {
      case 0:
        if (world.is_up(victim)) world.crash(victim, Crash::kill);
        break;
      case 1:
        if (world.is_up(victim)) world.crash(victim, Crash::power_loss);
        break;
      case 2:
        for (std::size_t i = 0; i < world.size(); ++i) {
          if (world.is_up(i)) world.crash(i, Crash::power_loss);
        }
        for (std::size_t i = 0; i < voters; ++i) world.restart(i);
        break;
      case 3: world.isolate(victim); break;
      case 4: world.cut(victim, rng.below(world.size())); break;
      case 5:
        if (world.is_up(victim)) world.resign(victim);
        break;
      case 6: flaps_in_an_election(world, voters); break;
      default:
        world.heal();
        for (std::size_t i = 0; i < world.size(); ++i) {
          if (!world.is_up(i)) world.restart(i);
        }
    }
    const std::int64_t pause_ms = rng.between(50, 2000);
    if (!world.run_for(from_millis(pause_ms))) return false;
  }
  world.heal();
  for (std::size_t i = 0; i < world.size(); ++i) {
    if (!world.is_up(i)) world.restart(i);
  }
  const Offset goal = world.highest() + 10;
  return world.run_until([&] { return world.all_reached(goal); });
}

}  // namespace sim::raft::test
