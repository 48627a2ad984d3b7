#pragma once

#include <type_traits>
#include <variant>

namespace sim {

template <class T, class Variant>
inline constexpr bool kIsAlternative = false;
template <class T, class... Ts>
inline constexpr bool kIsAlternative<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);

// T is one of the types that the variant may hold.
template <class T, class Variant>
concept AlternativeOf = kIsAlternative<T, Variant>;

}  // namespace sim
