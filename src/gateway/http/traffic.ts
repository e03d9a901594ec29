/** Requests, counted by route and status. */

export interface Traffic {
  began(): void;
  ended(route: string, status: number): void;
  inFlight(): number;
  counted(): readonly { readonly route: string; readonly status: number; readonly count: number }[];
}

export function createTraffic(): Traffic {
  const routes = new Map<string, Map<number, number>>();
  let inFlight = 0;
  return {
    began() {
      inFlight += 1;
    },
    ended(route, status) {
      inFlight -= 1;
      let statuses = routes.get(route);
      if (statuses === undefined) {
        statuses = new Map();
        routes.set(route, statuses);
      }
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    },
    inFlight: () => inFlight,
    counted: () =>
      [...routes].flatMap(([route, statuses]) => [...statuses].map(([status, count]) => ({ route, status, count }))),
  };
}
