// SPDX-License-Identifier: BSD-2-Clause
/* C++ caches of known truth, whose lookups and computes throw. */
#include <memory>
#include <stdexcept>
#include <unordered_map>

#include "truth.h"

#define TRACED __attribute__((noinline, noclone, visibility("default")))
#define KEEP() __asm__ volatile("" ::: "memory")

namespace shop {

static thread_local struct truth *truth;

/* Keys divisible by 5 cannot be loaded, those divisible by 11 cannot even be asked for. */
template <typename Key>
class Cache {
public:
	TRACED uint64_t get(Key key);

private:
	TRACED uint64_t load(Key key);
	std::unordered_map<Key, uint64_t> values;
};

template <typename Key>
uint64_t Cache<Key>::load(Key key)
{
	truth->computes++;
	KEEP();
	if (key % 5 == 0)
		throw std::runtime_error("cannot be loaded");
	return key * 3;
}

template <typename Key>
uint64_t Cache<Key>::get(Key key)
{
	truth->lookups++;
	if (key % 11 == 0) {
		truth->other++;
		throw std::invalid_argument("not a key");
	}
	auto found = values.find(key);
	if (found != values.end()) {
		truth->hits++;
		return found->second;
	}
	truth->misses++;
	uint64_t value = load(key);
	values[key] = value;
	return value;
}

/* Returns a pointer, and throws between. */
struct Table {
	std::unordered_map<uint64_t, uint64_t> values;
	TRACED uint64_t *find(uint64_t key);
};

uint64_t *Table::find(uint64_t key)
{
	truth->lookups++;
	KEEP();
	if (key % 11 == 0) {
		truth->other++;
		throw std::invalid_argument("not a key");
	}
	auto found = values.find(key);
	if (found == values.end()) {
		truth->misses++;
		return nullptr;
	}
	truth->hits++;
	return &found->second;
}

static void *get_thread(void *argument)
{
	auto *run = static_cast<struct truth_run *>(argument);
	uint64_t state = 1001ull + run->thread;
	Cache<unsigned long> own;

	truth = &run->truth;
	for (uint64_t i = 0; i < run->lookups; i++) {
		try {
			own.get(truth_random(&state) % 3000);
		} catch (const std::exception &) {
		}
	}
	return nullptr;
}

static void *find_thread(void *argument)
{
	auto *run = static_cast<struct truth_run *>(argument);
	uint64_t state = 2002ull + run->thread;
	Table own;

	truth = &run->truth;
	for (uint64_t i = 0; i < run->lookups; i++) {
		uint64_t key = truth_random(&state) % 3000;

		try {
			if (!own.find(key))
				own.values[key] = key;
		} catch (const std::exception &) {
		}
	}
	return nullptr;
}

} /* namespace shop */

static const struct truth_scenario scenarios[] = {
	{ "get", shop::get_thread },
	{ "find", shop::find_thread },
};

int main(int argc, char **argv)
{
	return truth_main(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), argc, argv);
}
