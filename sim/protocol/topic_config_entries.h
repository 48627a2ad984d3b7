#pragma once

#include <string_view>
#include <vector>

#include "protocol/topic_config.h"

// A topic's settings by Kafka's names and in its spelling, as an administrator changes them. Known are those
// that change what a topic does here.
namespace sim {

// False, and nothing is changed: no such setting, or no such value of it.
[[nodiscard]] bool set_topic_config(TopicConfig& config, std::string_view name, std::string_view value);
// Back to what `defaults` has. False: no such setting.
[[nodiscard]] bool reset_topic_config(TopicConfig& config, std::string_view name,
                                      const TopicConfig& defaults);

std::vector<std::string_view> alterable_topic_configs();  // sorted

}  // namespace sim
