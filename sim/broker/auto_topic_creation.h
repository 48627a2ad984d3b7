#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/messages.h"
#include "server/config.h"

// Topics that are created because someone asked for them (AutoTopicCreationManager). The controller decides;
// those who asked are told that the topic is unknown, and find it when they ask again.
namespace sim::broker {

using server::BrokerConfig;

// Topic.validate: 1 to 249 of [a-zA-Z0-9._-], neither "." nor "..".
bool is_valid_topic_name(std::string_view name);

class AutoTopicCreation {
 public:
  // Adds `name` to the request, unless it is being created already.
  void want(const std::string& name, const BrokerConfig& config, CreateTopicsRequest& request);
  // The request was answered, one way or another, or given up.
  void done(const CreateTopicsRequest& request);

 private:
  std::set<std::string, std::less<>> in_flight_;
};

}  // namespace sim::broker
