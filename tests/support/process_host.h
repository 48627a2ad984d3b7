#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "base/overloaded.h"
#include "base/rng.h"
#include "node/node.h"

// The host of one process under test: performs its effects against a clock, a disk and a network that the
// test scripts.
//
// A test's world lets its process take an input and hands the effects to perform(). What a real host would
// bring back at once (a connection is made or refused) joins `inputs`; next_until() hands out what is due,
// inputs before timers. The rest is the test's part: it is given each message the process sends, answers by
// answer(), and decides when a write is done, on which messages may wait.
//
// It is a value: a copy plays on as the original does.
namespace sim::test {

class ProcessHost {
 public:
  struct ToldFact {
    LocalTime at;
    observe::Fact fact;
  };

  explicit ProcessHost(Rng of_steps) : rng(std::move(of_steps)) {}

  node::Env env() { return node::Env{now, rng}; }

  // In their order. Each message that leaves is given to `sent(Envelope&&)`, each connection that the process
  // closes to `closed(const Channel&)`.
  template <class Sent, class Closed>
  void perform(node::Effects& effects, Sent sent, Closed closed) {
    for (node::Effect& effect : std::exchange(effects, {})) {
      std::visit(
          Overloaded{
              [&](node::Send& send) {
                if (send.after && is_pending(*send.after))
                  held_.emplace_back(*send.after, std::move(send.envelope));
                else
                  sent(std::move(send.envelope));
              },
              [&](node::Persist& persist) { writes.push_back(std::move(persist)); },
              [&](node::SetTimer& set) {
                timers[set.timer] = set.deadline;
                ++timers_set;
              },
              [&](node::CancelTimer& cancel) { timers.erase(cancel.timer); },
              [&](node::Connect& connect) {
                if (refusing.contains(connect.channel.server))
                  inputs.emplace_back(node::Disconnected{connect.channel, node::DisconnectReason::refused});
                else
                  inputs.emplace_back(node::Connected{connect.channel});
              },
              [&](node::Disconnect& disconnect) { closed(disconnect.channel); },
              [&](node::Report& report) {
                told.push_back({now, std::move(report.fact)});
              },
              [&](node::Exit&) {
                if (!exited_at) exited_at = now;
              },
              [](node::Scan&) { FAIL("this host has no logs to recover"); },
          },
          effect);
    }
  }
  template <class Sent>
  void perform(node::Effects& effects, Sent sent) {
    perform(effects, std::move(sent), [](const Channel&) {});
  }

  // The next input that is due until `end`, at its time; without one the clock shows `end`.
  std::optional<node::Input> next_until(LocalTime end) {
    if (!inputs.empty()) {
      node::Input input = std::move(inputs.front());
      inputs.pop_front();
      return input;
    }
    const auto first = first_timer();
    if (first == timers.end() || first->second > end) {
      now = std::max(now, end);
      return std::nullopt;
    }
    now = std::max(now, first->second);
    node::Input fired = node::TimerFired{first->first};
    timers.erase(first);
    ++timers_fired;
    return fired;
  }
  LocalTime next_timer() {
    const auto first = first_timer();
    return first == timers.end() ? LocalTime::max() : first->second;
  }

  // The answer reaches the process.
  void answer(const Envelope& request, Message message) {
    inputs.emplace_back(
        node::Received{Envelope{request.channel, request.correlation, true, std::move(message)}});
  }

  // The oldest write is done: the process will hear of it, and what waited for it leaves. REQUIRES: there is
  // one
  template <class Sent>
  void finish_write(Sent sent) {
    const node::PersistId id = writes.front().id;
    writes.erase(writes.begin());
    inputs.emplace_back(node::Persisted{id});
    for (auto& [after, envelope] : std::exchange(held_, {})) {
      if (after == id)
        sent(std::move(envelope));
      else
        held_.emplace_back(after, std::move(envelope));
    }
  }

  // The process is gone, and with it all that it had asked for; what it told stays.
  void forget_process() {
    inputs.clear();
    timers.clear();
    writes.clear();
    held_.clear();
  }

  template <class F>
  std::vector<F> facts() const {
    std::vector<F> found;
    for (const ToldFact& one : told) {
      if (const auto* fact = std::get_if<F>(&one.fact)) found.push_back(*fact);
    }
    return found;
  }

  LocalTime now{};
  Rng rng;                                    // of the process's steps
  std::deque<node::Input> inputs;             // to be taken now, in this order
  std::map<node::TimerId, LocalTime> timers;  // as they are set
  std::vector<node::Persist> writes;          // asked for and not done, the oldest first
  std::set<ProcessId> refusing;               // servers to which no connection can be made
  std::vector<ToldFact> told;
  std::optional<LocalTime> exited_at;
  std::int64_t timers_set = 0;
  std::int64_t timers_fired = 0;

 private:
  std::map<node::TimerId, LocalTime>::iterator first_timer() {
    return std::min_element(timers.begin(), timers.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
  }
  bool is_pending(node::PersistId id) const {
    return std::any_of(writes.begin(), writes.end(), [&](const auto& write) { return write.id == id; });
  }

  std::vector<std::pair<node::PersistId, Envelope>> held_;
};

}  // namespace sim::test
