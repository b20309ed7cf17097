// Shows two canvases of one image, the first of them up to a line that the visitor moves.

const element = (id) => document.getElementById(id);

/** Starts the slider, and returns a function that shows images of a width and a height. */
export function comparison() {
  const [viewer, scroller, stage] = ["viewer", "scroller", "stage"].map(element);
  const [handle, position, zoom] = ["handle", "position", "zoom"].map(element);
  const isZoomed = () => viewer.classList.contains("zoomed");

  function draw() {
    const share = Number(position.value) / 100;
    const line = scroller.scrollLeft + share * scroller.clientWidth;
    handle.style.left = `${share * scroller.clientWidth}px`;
    stage.style.setProperty("--line", `${Math.round(line)}px`);
  }

  function moveTo(event) {
    const { left } = scroller.getBoundingClientRect();
    position.value = String((100 * (event.clientX - left)) / scroller.clientWidth);
    draw();
  }

  let moving = null; // "line", or "image" for a mouse that drags an enlarged image
  viewer.addEventListener("pointerdown", (event) => {
    const onLine = handle.contains(event.target) || !isZoomed();
    if (!onLine && event.pointerType !== "mouse") return; // the browser scrolls by touch itself
    moving = onLine ? "line" : "image";
    viewer.setPointerCapture(event.pointerId);
    if (onLine) moveTo(event);
    event.preventDefault();
  });
  viewer.addEventListener("pointermove", (event) => {
    if (moving === "line") moveTo(event);
    if (moving === "image") scroller.scrollBy(-event.movementX, -event.movementY);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    viewer.addEventListener(end, () => (moving = null));
  }

  function setZoom(zoomed) {
    viewer.classList.toggle("zoomed", zoomed);
    zoom.setAttribute("aria-pressed", String(zoomed));
    if (zoomed) {
      const { scrollWidth, scrollHeight, clientWidth, clientHeight } = scroller;
      scroller.scrollTo((scrollWidth - clientWidth) / 2, (scrollHeight - clientHeight) / 2);
    }
    draw();
  }

  zoom.addEventListener("click", () => setZoom(!isZoomed()));
  position.addEventListener("input", draw);
  scroller.addEventListener("scroll", draw);
  new ResizeObserver(draw).observe(scroller);
  return (width, height) => {
    viewer.style.setProperty("--width", width);
    viewer.style.setProperty("--height", height);
    setZoom(false);
  };
}
