let timer;

export function time(zone = "UTC", now = new Date()) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeStyle: "medium" }).format(now);
}

export function mount(element, { zone } = {}) {
  const draw = () => {
    element.textContent = time(zone);
  };
  draw();
  timer = setInterval(draw, 1000);
}

export function unmount(element) {
  clearInterval(timer);
  element.textContent = "";
}
