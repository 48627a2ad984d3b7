#pragma once

#include <span>
#include <string_view>

// Named machines: what `profile: laptop` sets in a scenario, key by key. A key that the scenario gives stands
// as it was given; all others of a profile have its values in the place of the usual defaults.
//
// Sources of the values, and what was measured with them: README, "Processors".
namespace sim::scenario {

struct ProfileSetting {
  std::string_view path;   // as in Key::path
  std::string_view value;  // YAML
};

struct Profile {
  std::string_view name;
  std::string_view meaning;
  std::span<const ProfileSetting> settings;
};

// All that there are; the words of the key `profile` are their names and `none`.
std::span<const Profile> profiles();

inline constexpr std::string_view kProfileNames = "none|laptop|cloud-small|cloud-large";

// What the profile of this name sets the key to; empty if it leaves that alone, or there is no such profile.
std::string_view profile_value(std::string_view profile, std::string_view path);

}  // namespace sim::scenario
