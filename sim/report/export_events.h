#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/time.h"

// events.jsonl, as the exports read it, and which of its events change something in the cluster.
namespace sim::report {

using EventJson = nlohmann::ordered_json;

// Hands over each event of the window (half-open; all without one) in its order; each has "t", "node" and
// "ev". Fails, and says which line, at one that is not an event.
std::optional<Problem> for_each_event(const std::filesystem::path& run,
                                      const std::optional<std::pair<Duration, Duration>>& window,
                                      const std::function<void(const EventJson&)>& use);

// Requests, and their responses, that change something in the cluster; what merely flows is not among them.
bool is_control_message(const std::string& name);
// Facts about leaders, groups, processes and records that are told in a diagram.
bool is_told_event(const std::string& ev);
// "BecameLeader orders-0 leader_epoch 3": the fields that are particular to the event.
std::string words_of_event(const EventJson& event);
std::string text_of_field(const EventJson& value);

}  // namespace sim::report
